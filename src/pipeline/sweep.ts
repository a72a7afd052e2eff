import { setImmediate as turn } from 'node:timers/promises';
import type { Broker } from '../broker/broker.ts';
import { topology } from '../broker/topology.ts';
import type { Logger } from '../observability/log.ts';
import type { WebMetrics } from '../observability/web-metrics.ts';
import type { Store } from '../store/store.ts';
import { type Repeating, repeating } from './repeating.ts';
import { countTaken } from './taken.ts';

const batch = 1000;
/** Batches of what is too old, between two looks at whether the process is to end. */
const expiryBatches = 10;

export interface SweepContext {
  readonly store: Store;
  readonly broker: Broker;
  readonly metrics: Pick<WebMetrics, 'requeued' | 'imbalance'>;
  readonly log: Logger;
  readonly intervalMs: number;
  readonly overdueAfterMs: number;
  readonly keepEventsMs: number;
  /** When the newest image was uploaded that is known to have ended; ms since 1970. */
  readonly newestEnded: () => number;
  /** Drops the outbox rows of confirmed jobs: an image that has one is not queued again. */
  readonly settle: () => Promise<void>;
  /** Jobs were put into the outbox. */
  readonly requeued: () => void;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const ago = (ms: number): string => iso(Date.now() - ms);

/**
 * Everything that was unfinished when the broker lost its data (`lostAt`) goes into the outbox again. A job that
 * still was in some queue is worked on twice; its second result changes nothing.
 */
const requeueAll = async ({ store, metrics, log, requeued }: SweepContext, lostAt: number): Promise<void> => {
  for (let total = 0, count = batch; count === batch; ) {
    count = await store.requeue(iso(lostAt), batch);
    total += count;
    metrics.requeued.inc({ reason: 'emptied' }, count);
    if (count > 0) requeued();
    if (count < batch && total > 0) log.info({ images: total }, 'unfinished images queued again');
    // An embedded database answers at once: without this no request would be served until all is done.
    await turn();
  }
};

/**
 * Images that others overtook: queued long before one that has ended by now, and without news since. The queue is
 * first in, first out, so they are in it no more. This finds a loss also while the service is never idle.
 */
const requeueOvertaken = async ({
  store,
  metrics,
  overdueAfterMs,
  newestEnded,
}: SweepContext): Promise<number> => {
  const before = Math.max(0, Math.min(Date.now(), newestEnded()) - overdueAfterMs);
  const count = await store.requeue(iso(before), batch);
  metrics.requeued.inc({ reason: 'overtaken' }, count);
  return count;
};

/** How many images nobody holds any more, neither outbox, broker nor consumer, as far as counts can tell. */
const countMissing = async ({ store, broker, overdueAfterMs }: SweepContext): Promise<number> => {
  const { images, outbox } = await store.outstanding();
  if (images === outbox) return 0;
  // The broker tells of unanswered messages only to those who have them.
  let held = await countTaken(store, ago(overdueAfterMs));
  for (const { name } of topology) held += (await broker.status(name)).messages;
  return Math.max(0, images - outbox - held);
};

/** The least that was counted over a time, once it is over: counts that lag behind miss a message for so long only. */
const leastOver = (spanMs: number) => {
  let looks: { readonly at: number; readonly count: number }[] = [];
  return (count: number): number => {
    const at = performance.now();
    // The newest of those old enough is where the span begins.
    const begins = looks.findLastIndex((look) => at - look.at >= spanMs);
    looks = [...looks.slice(Math.max(0, begins)), { at, count }];
    return begins < 0 && spanMs > 0 ? 0 : Math.min(...looks.map((look) => look.count));
  };
};

/**
 * Drops events and idempotency keys that are too old. Answers whether there are more: a sweep that dropped one batch
 * only would fall behind as soon as more than that were made between two.
 */
const expireSome = async ({ store, keepEventsMs }: SweepContext): Promise<boolean> => {
  for (let n = 0; n < expiryBatches; n++) {
    if (!(await store.expire(ago(keepEventsMs), batch))) return false;
    await turn();
  }
  return true;
};

/** Finds what fell out of the queues and puts it back; drops events and idempotency keys that are too old. */
export const startSweep = (context: SweepContext): Repeating => {
  const { store, broker, metrics, log, requeued } = context;
  const least = leastOver(broker.statusLagMs);
  const requeueMissing = async (): Promise<number> => {
    const missing = least(await countMissing(context));
    metrics.imbalance.set(missing);
    if (missing === 0) return 0;
    // A backlog is not a loss: no more are queued again than are missing, whatever is overdue.
    const count = await store.requeue(ago(context.overdueAfterMs), Math.min(missing, batch));
    metrics.requeued.inc({ reason: 'missing' }, count);
    return count;
  };
  const losses: { readonly at: number; readonly mended: () => void }[] = [];

  const mendLosses = async (): Promise<void> => {
    const told = losses.slice();
    await context.settle();
    await requeueAll(context, Math.max(...told.map(({ at }) => at)));
    losses.splice(0, told.length);
    for (const { mended } of told) mended();
  };
  const sweep = repeating('sweep', context.intervalMs, log, async () => {
    if (losses.length > 0) await mendLosses();
    else if (broker.isConnected()) {
      const count = (await requeueOvertaken(context)) + (await requeueMissing());
      if (count > 0) {
        log.warn({ images: count }, 'overdue images queued again');
        requeued();
      }
    }
    return await expireSome(context);
  });
  broker.onEmptied(() => {
    const { promise, resolve } = Promise.withResolvers<void>();
    losses.push({ at: Date.now(), mended: resolve });
    sweep.wake();
    return promise;
  });
  return sweep;
};
