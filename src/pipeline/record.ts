import type { Broker, Delivery, Subscription, Verdict } from '../broker/broker.ts';
import { deliveryLimit } from '../broker/topology.ts';
import type { Logger } from '../observability/log.ts';
import { currentTraceparent, inSpan } from '../observability/tracing.ts';
import type { WebMetrics } from '../observability/web-metrics.ts';
import type { Recorded, Store, TracedOutcome } from '../store/store.ts';
import { grouped } from './grouped.ts';
import { timeOf } from './image-id.ts';
import {
  type DeadJob,
  encode,
  hintsIn,
  InvalidMessage,
  type Outcome,
  outcomesIn,
  type ProcessingHint,
  parseDeadJob,
  parseReport,
} from './message.ts';
import { propertiesOf } from './properties.ts';

export interface RecordContext {
  readonly store: Store;
  readonly broker: Broker;
  readonly metrics: WebMetrics;
  readonly log: Logger;
  /** The store has new events. */
  readonly changed: () => void;
  /** The image's outcome is stored, and nothing of it is in the outbox any more. */
  readonly recorded: (id: string) => void;
  /** Attempts an image gets before it is dead. */
  readonly maxAttempts: number;
}

export interface Recording extends Pick<Subscription, 'cancel'> {
  /**
   * When the newest image was uploaded whose first generation this process has seen end (ms since 1970, 0 before the
   * first). The queue is first in, first out, so what was queued long before it can no longer wait there.
   */
  newestEnded(): number;
}

/** Outcomes recorded in one transaction at most. */
const prefetch = 128;

const lost = {
  code: 'delivery-limit',
  message: `whoever worked on the image was lost each time, more than ${deliveryLimit} times in each attempt`,
};

/** Waits for all, whatever becomes of them: a message must not come again while some of it is still under way. */
const everyOne = async (all: readonly Promise<unknown>[]): Promise<void> => {
  await Promise.allSettled(all);
  await Promise.all(all);
};

/**
 * Records what comes back through `results` and `images.dead`: result, state and event in one transaction, then the
 * ack. A job that the broker itself gave up on has lost its consumer again and again, which an outage does to innocent
 * images too: it costs one attempt, not the image.
 */
export const startRecording = async (context: RecordContext): Promise<Recording> => {
  const { store, broker, metrics, log, changed, maxAttempts } = context;
  let newestEnded = 0;
  const started = grouped<ProcessingHint, undefined>(async (hints) => {
    await store.started(hints);
    return [];
  });
  const record = grouped<TracedOutcome, Recorded>((outcomes) => store.record(outcomes));

  const ended = async (outcome: Outcome): Promise<void> => {
    const taken = metrics.stageSeconds.startTimer({ stage: 'record' });
    const attributes = { 'gantry.image.id': outcome.id, 'gantry.outcome': outcome.kind };
    const recorded = await inSpan('record', { attributes }, () => {
      const traceparent = currentTraceparent();
      return record(traceparent === undefined ? outcome : { ...outcome, traceparent });
    });
    taken();
    const about = { imageId: outcome.id, generation: outcome.generation, attempt: outcome.attempt };
    if (recorded !== 'recorded') {
      metrics.ineffectiveOutcomes.inc({ reason: recorded });
      log.info({ ...about, recorded }, 'an outcome that changes nothing');
      return;
    }
    const uploadedAt = timeOf(outcome.id);
    // One of the future tells of a server's wrong clock, not of the queue.
    if (outcome.generation === 1 && uploadedAt <= Date.now()) newestEnded = Math.max(newestEnded, uploadedAt);
    changed();
    context.recorded(outcome.id);
    metrics.results.ended(outcome);
    if (outcome.generation === 1)
      metrics.endToEndSeconds.observe(Math.max(0, Date.now() - uploadedAt) / 1000);
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
    if (report.kind !== 'processing') return everyOne(outcomesIn(report).map(ended));
    await everyOne(hintsIn(report).map(started));
    changed();
  });
  const givenUp = async ({ error: _, ...job }: DeadJob): Promise<void> => {
    metrics.attempts.inc({ outcome: lost.code });
    log.warn({ imageId: job.id, attempt: job.attempt, error: lost }, 'the broker gave up on an attempt');
    const next = { ...job, attempt: job.attempt + 1 };
    // Whatever takes consumers down is not over in a second.
    await broker.publish('images.retry.60s', encode(next), propertiesOf(next));
    metrics.retries.inc({ queue: 'images.retry.60s' });
  };
  const dead = handler(async (body) => {
    const job = parseDeadJob(body);
    if (job.error === undefined && job.attempt < maxAttempts) return givenUp(job);
    const { id, generation, attempt, error = lost } = job;
    return ended({ version: 1, id, generation, attempt, kind: 'dead', error });
  });
  const subscriptions = await Promise.all([
    broker.consume('results', { prefetch }, results),
    broker.consume('images.dead', { prefetch }, dead),
  ]);
  return {
    newestEnded: () => newestEnded,
    async cancel() {
      await Promise.all(subscriptions.map((subscription) => subscription.cancel()));
    },
  };
};
