import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Repeating, repeating } from './repeating.ts';

export interface RecountContext {
  readonly store: Pick<Store, 'mergeCounts' | 'recount'>;
  readonly log: Logger;
  readonly intervalMs: number;
  /** How long the flow of images is told by the second. */
  readonly keepFlowMs: number;
  /** Whether servers of an older version, which count nothing, may be writing beside us. */
  readonly shared: boolean;
}

const hourMs = 3_600_000;

/** Keeps what the summary counts small, and right: where others write, counts anew at first and then every hour. */
export const startRecount = ({ store, log, intervalMs, keepFlowMs, shared }: RecountContext): Repeating => {
  let recountedAt = Number.NEGATIVE_INFINITY;
  return repeating('recount', intervalMs, log, async () => {
    await store.mergeCounts(new Date(Date.now() - keepFlowMs).toISOString());
    if (!shared || performance.now() - recountedAt < hourMs) return false;
    // First: one that takes longer than the database allows must not be tried again and again.
    recountedAt = performance.now();
    if (await store.recount()) log.warn('numbers of the summary were wrong and are put right');
    return false;
  });
};
