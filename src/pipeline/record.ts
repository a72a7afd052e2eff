import type { Broker, Delivery, Subscription, Verdict } from '../broker/broker.ts';
import { deliveryLimit } from '../broker/topology.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Recorded, Store } from '../store/store.ts';
import { grouped } from './grouped.ts';
import { InvalidMessage, type Outcome, type ProcessingHint, parseDeadJob, parseReport } from './message.ts';

export interface RecordContext {
  readonly store: Store;
  readonly broker: Broker;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** The store has new events. */
  readonly changed: () => void;
}

/** Outcomes recorded in one transaction at most. */
const prefetch = 128;

const deadOutcome = (body: Uint8Array): Outcome => {
  const { id, generation, attempt, error } = parseDeadJob(body);
  const lost = {
    code: 'delivery-limit',
    message: `whoever worked on the image was lost each time, ${deliveryLimit} times or more`,
  };
  return { version: 1, id, generation, attempt, kind: 'dead', error: error ?? lost };
};

/** Records what comes back through `results` and `images.dead`: result, state and event in one transaction, then the ack. */
export const startRecording = async (context: RecordContext): Promise<Subscription> => {
  const { store, broker, metrics, log, changed } = context;
  const started = grouped<ProcessingHint, undefined>(async (hints) => {
    await store.started(hints);
    return [];
  });
  const record = grouped<Outcome, Recorded>((outcomes) => store.record(outcomes));

  const ended = async (outcome: Outcome): Promise<void> => {
    const recorded = await record(outcome);
    const about = { imageId: outcome.id, generation: outcome.generation, attempt: outcome.attempt };
    if (recorded !== 'recorded') {
      log.info({ ...about, recorded }, 'an outcome that changes nothing');
      return;
    }
    changed();
    const label = outcome.kind === 'succeeded' ? outcome.result.label : '';
    metrics.outcomes.inc({ state: outcome.kind, label });
    if (outcome.generation === 1)
      metrics.endToEndSeconds.observe(Math.max(0, Date.now() - uuidTime(outcome.id)) / 1000);
    if (outcome.kind === 'dead') log.error({ ...about, error: outcome.error }, 'image is dead');
  };
  const handler =
    (handle: (body: Uint8Array) => Promise<void>) =>
    async ({ body }: Delivery): Promise<Verdict> => {
      try {
        await handle(body);
      } catch (err) {
        if (!(err instanceof InvalidMessage)) throw err;
        log.error({ err }, 'dropped a message that is none of ours');
      }
      return 'ack';
    };

  const results = handler(async (body) => {
    const report = parseReport(body);
    if (report.kind !== 'processing') return ended(report);
    await started(report);
    changed();
  });
  const dead = handler((body) => ended(deadOutcome(body)));
  const subscriptions = await Promise.all([
    broker.consume('results', { prefetch }, results),
    broker.consume('images.dead', { prefetch }, dead),
  ]);
  return {
    async cancel() {
      await Promise.all(subscriptions.map((subscription) => subscription.cancel()));
    },
  };
};

/** Milliseconds since 1970 that a UUIDv7 begins with (RFC 9562, section 5.7). */
const uuidTime = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
