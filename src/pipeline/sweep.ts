import type { Broker } from '../broker/broker.ts';
import { jobQueues } from '../broker/topology.ts';
import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Repeating, repeating } from './repeating.ts';

const batch = 1000;

export interface SweepContext {
  readonly store: Store;
  readonly broker: Broker;
  readonly log: Logger;
  readonly intervalMs: number;
  readonly overdueAfterMs: number;
  readonly keepEventsMs: number;
  /** Jobs were put into the outbox. */
  readonly requeued: () => void;
}

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/**
 * Everything unfinished goes into the outbox again, as after the broker lost its data. A job that still was in
 * some queue is worked on twice; its second result changes nothing.
 */
const requeueAll = async ({ store, log, requeued }: SweepContext): Promise<void> => {
  const before = ago(0);
  for (let total = 0, count = batch; count === batch; ) {
    count = await store.requeue(before, batch);
    total += count;
    if (count > 0) requeued();
    if (count < batch && total > 0) log.info({ images: total }, 'unfinished images queued again');
  }
};

/** Overdue images go into the outbox again, but only as many as the broker no longer holds: a backlog is not a loss. */
const requeueMissing = async (context: SweepContext): Promise<void> => {
  const { store, broker, log, overdueAfterMs, requeued } = context;
  const { images, outbox } = await store.outstanding();
  if (images === 0) return;
  let held = 0;
  for (const queue of [...jobQueues, 'results' as const]) held += (await broker.status(queue)).messages;
  const missing = images - outbox - held;
  if (missing <= 0) return;
  const count = await store.requeue(ago(overdueAfterMs), Math.min(missing, batch));
  if (count > 0) {
    log.warn({ images: count }, 'overdue images queued again');
    requeued();
  }
};

/** Finds what fell out of the queues and puts it back; drops events and idempotency keys that are too old. */
export const startSweep = (context: SweepContext): Repeating => {
  let emptied = false;
  const sweep = repeating('sweep', context.intervalMs, context.log, async () => {
    if (emptied) {
      emptied = false;
      try {
        await requeueAll(context);
      } catch (error) {
        emptied = true;
        throw error;
      }
    } else await requeueMissing(context);
    await context.store.expire(ago(context.keepEventsMs), batch);
    return false;
  });
  context.broker.onEmptied(() => {
    emptied = true;
    sweep.wake();
  });
  return sweep;
};
