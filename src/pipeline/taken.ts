import type { Broker } from '../broker/broker.ts';
import type { Store } from '../store/store.ts';
import { encode, type Job } from './message.ts';

/**
 * How long (ms) an attempt has to take before anybody is told that it has begun. Each word of it costs a message, a
 * transaction and an event, in front of the result; most attempts have ended by then.
 */
export const tellAfterMs = 1_000;

/** Call when the attempt has ended. */
type Ended = () => void;

/**
 * Tells the store, by hints that nobody waits for, which jobs a consumer has at work: those that take longer than
 * `afterMs`, all that are due in one message.
 */
export const tellTaken = (broker: Pick<Broker, 'hint'>, afterMs = tellAfterMs): ((job: Job) => Ended) => {
  // In the order of their taking.
  const untold = new Map<Job, number>();
  let waiting = false;

  const tell = (): void => {
    const due = performance.now() - afterMs;
    const jobs: Job[] = [];
    for (const [job, takenAt] of untold) {
      if (takenAt > due) break;
      jobs.push(job);
      untold.delete(job);
    }
    const [first, ...others] = jobs.map(({ id, generation, attempt }) => ({ id, generation, attempt }));
    if (first !== undefined) {
      // A web server that knows no `others` yet takes the first.
      const more = others.length === 0 ? {} : { others };
      broker.hint('results', encode({ version: 1, ...first, kind: 'processing', ...more }));
    }
    const [next] = untold.values();
    waiting = next !== undefined;
    if (next !== undefined) setTimeout(tell, next - due).unref();
  };

  return (job) => {
    untold.set(job, performance.now());
    if (!waiting) setTimeout(tell, afterMs).unref();
    waiting = true;
    return () => void untold.delete(job);
  };
};

/**
 * How many unfinished images consumers have, as far as the store knows: those it was told of after `since` (ISO), and
 * those it is not told of yet, which are no more than lately ended in such a time.
 */
export const countTaken = async (
  store: Pick<Store, 'atWork' | 'summary'>,
  since: string,
): Promise<number> => {
  const { flow } = await store.summary(new Date(Date.now() - 2 * tellAfterMs).toISOString());
  return (await store.atWork(since)) + flow.reduce((sum, { finished }) => sum + finished, 0);
};
