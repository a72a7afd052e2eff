import { setTimeout as pause } from 'node:timers/promises';
import { type Broker, PublishError } from '../broker/broker.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { inSpan, type SpanSettings } from '../observability/tracing.ts';
import type { Confirmed } from './confirmed.ts';
import { encode, type Job } from './message.ts';
import { propertiesOf } from './properties.ts';

/** How long an outbox row is held back for whoever publishes it; afterwards the relay takes it over. */
export const outboxLeaseMs = 20_000;

/**
 * The one way from the outbox into the queue: publishes a job; once the broker has confirmed it, its outbox row goes
 * soon. Never throws; resolves false if the job stays in the outbox (the relay tries again).
 */
export type Dispatch = (job: Job) => Promise<boolean>;

/** A queue that was deleted comes back within moments; the relay would come only after the lease. */
const unroutableTries = 5;
const unroutablePauseMs = 500;

const publishJob = async (broker: Broker, job: Job): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      return await broker.publish('images', encode(job), propertiesOf(job));
    } catch (error) {
      const unroutable = error instanceof PublishError && error.code === 'unroutable';
      if (!unroutable || tries === unroutableTries) throw error;
      await pause(unroutablePauseMs);
    }
  }
};

/**
 * From the acceptance on, so that a trace shows how long the job waited to be published. A later generation belongs to
 * the trace of who asked for it, or to one of its own, and is linked to the one before, which may be years old.
 */
const spanOf = ({ id, traceparent, submittedAt, attempt, generation }: Job): SpanSettings => ({
  ...(generation === 1 ? { traceparent } : { linkedTo: traceparent }),
  startTime: Date.parse(submittedAt),
  attributes: { 'gantry.image.id': id, 'gantry.generation': generation, 'gantry.attempt': attempt },
});

export interface Dispatcher {
  readonly dispatch: Dispatch;
  /** Resolves once every job under way is published or given back to the outbox. */
  flush(): Promise<void>;
}

export const createDispatcher = (
  confirmed: Pick<Confirmed, 'add' | 'settle'>,
  broker: Broker,
  { stageSeconds }: Pick<Metrics, 'stageSeconds'>,
  log: Logger,
): Dispatcher => {
  const underWay = new Set<Promise<boolean>>();

  const publish = async (job: Job): Promise<boolean> => {
    try {
      await inSpan('outbox', spanOf(job), () => publishJob(broker, job));
      const inOutboxMs = Math.max(0, Date.now() - Date.parse(job.submittedAt));
      if (job.attempt === 1) stageSeconds.observe({ stage: 'outbox' }, inOutboxMs / 1000);
      confirmed.add(job);
      return true;
    } catch (err) {
      // An outage is the broker's to tell of, once; a line for every upload would hide all else.
      const outage = err instanceof PublishError && (err.code === 'timed-out' || err.code === 'closed');
      log[outage ? 'debug' : 'warn']({ err, imageId: job.id }, 'job stays in the outbox');
      return false;
    }
  };
  return {
    dispatch(job) {
      const publishing = publish(job).finally(() => underWay.delete(publishing));
      underWay.add(publishing);
      return publishing;
    },
    async flush() {
      await Promise.all(underWay);
      await confirmed.settle();
    },
  };
};
