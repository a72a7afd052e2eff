import type { Broker } from '../broker/broker.ts';
import type { Logger } from '../observability/log.ts';
import type { JobKey, Store } from '../store/store.ts';
import { grouped } from './grouped.ts';
import { encode, type Job } from './message.ts';

/** How long an outbox row is held back for whoever publishes it; afterwards the relay takes it over. */
export const outboxLeaseMs = 10_000;

/**
 * The one way from the outbox into the queue: publishes a job and, once the broker has confirmed it, drops its
 * outbox row. Never throws; resolves false if the job stays in the outbox (the relay tries again).
 */
export type Dispatch = (job: Job) => Promise<boolean>;

export const createDispatch = (store: Store, broker: Broker, log: Logger): Dispatch => {
  const published = grouped<JobKey, undefined>(async (jobs) => {
    await store.published(jobs);
    return [];
  });
  return async (job) => {
    try {
      await broker.publish('images', encode(job), { messageId: job.id });
      await published({ id: job.id, generation: job.generation });
      return true;
    } catch (err) {
      log.warn({ err, imageId: job.id }, 'job stays in the outbox');
      return false;
    }
  };
};
