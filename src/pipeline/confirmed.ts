import type { Logger } from '../observability/log.ts';
import { outsideTraces } from '../observability/tracing.ts';
import type { JobKey, Store } from '../store/store.ts';

/**
 * How long the row of a confirmed job may still lie in the outbox (ms). Most images are recorded by then, which drops
 * it, too. A broker that loses its data is not back so soon; see `settle`.
 */
const dropAfterMs = 250;

/** Jobs that the broker has confirmed and whose rows are still in the outbox. */
export interface Confirmed {
  add(key: JobKey): void;
  /** The image's outcome was recorded, and its row went with it. */
  recorded(id: string): void;
  /**
   * Drops the rows now: what is in the outbox counts as not yet published. Never throws: what cannot be dropped is
   * tried again later, and by the relay once the lease is over.
   */
  settle(): Promise<void>;
}

export const createConfirmed = (store: Pick<Store, 'published'>, log: Pick<Logger, 'warn'>): Confirmed => {
  const generations = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let settled = Promise.resolve();

  const later = (): void => {
    if (timer === undefined && generations.size > 0)
      timer = setTimeout(() => void settle(), dropAfterMs).unref();
  };
  const drop = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (generations.size === 0) return;
    const keys = [...generations].map(([id, generation]) => ({ id, generation }));
    generations.clear();
    try {
      await store.published(keys);
    } catch (err) {
      log.warn({ err, jobs: keys.length }, 'confirmed jobs stay in the outbox; tried again');
      for (const { id, generation } of keys) if (!generations.has(id)) generations.set(id, generation);
      later();
    }
  };
  const settle = (): Promise<void> => {
    settled = settled.then(drop);
    return settled;
  };
  return {
    add({ id, generation }) {
      generations.set(id, generation);
      // Whoever publishes is in a trace, and so would be all that is settled together.
      outsideTraces(later);
    },
    recorded(id) {
      generations.delete(id);
    },
    settle,
  };
};
