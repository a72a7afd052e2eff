import { setImmediate as endOfTurn } from 'node:timers/promises';
import type { Broker } from '../broker/broker.ts';
import { currentTraceparent } from '../observability/tracing.ts';
import { type Ended, encode, type Job } from './message.ts';
import { propertiesOf } from './properties.ts';

/** Outcomes in one message at most: each brings a thumbnail of up to 22 KB in base64. */
const maxTogether = 16;

type What = DistributiveOmit<Ended, 'version' | 'id' | 'generation' | 'attempt'>;
type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/**
 * Publishes what became of an attempt; resolves once the broker has it, rejects as `publish` does. Those that end in
 * the same turn of the event loop, as the pictures of a batch do, travel in one message: a message costs broker and
 * both ends more than what is in it. Traced ones travel alone, as a message has one trace context.
 */
export const tellEnded = (broker: Pick<Broker, 'publish'>): ((job: Job, what: What) => Promise<void>) => {
  let open: { others: Ended[]; told: Promise<void> } | undefined;
  return (job, what) => {
    const { id, generation, attempt } = job;
    const ended: Ended = { version: 1, id, generation, attempt, ...what };
    const tell = (others?: Ended[]): Promise<void> =>
      broker.publish('results', encode({ ...ended, ...(others?.length && { others }) }), propertiesOf(job));
    if ((currentTraceparent() ?? job.traceparent) !== undefined) return tell();
    if (open !== undefined && open.others.length + 1 < maxTogether) {
      open.others.push(ended);
      return open.told;
    }
    const others: Ended[] = [];
    const told = endOfTurn().then(() => {
      if (open?.others === others) open = undefined;
      return tell(others);
    });
    open = { others, told };
    return told;
  };
};
