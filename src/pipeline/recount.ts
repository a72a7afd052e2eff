import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Repeating, repeating } from './repeating.ts';

export interface RecountContext {
  readonly store: Pick<Store, 'mergeCounts' | 'recount'>;
  readonly log: Logger;
  readonly intervalMs: number;
  /** How long the flow of images is told by the second. */
  readonly keepFlowMs: number;
}

const hourMs = 3_600_000;

/**
 * Keeps what the summary counts small, and right: counts anew at first and then every hour, as a server of an older
 * version may have been writing beside us until then.
 */
export const startRecount = ({ store, log, intervalMs, keepFlowMs }: RecountContext): Repeating => {
  let recountedAt = Number.NEGATIVE_INFINITY;
  return repeating('recount', intervalMs, log, async () => {
    await store.mergeCounts(new Date(Date.now() - keepFlowMs).toISOString());
    if (performance.now() - recountedAt < hourMs) return false;
    if (await store.recount()) log.warn('numbers of the summary were wrong and are put right');
    recountedAt = performance.now();
    return false;
  });
};
