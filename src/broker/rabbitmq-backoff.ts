import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait before the try after `failures` failed ones: doubling, jittered so that many do not come at once. */
export const backoffMs = (failures: number, mostMs: number): number =>
  Math.min(mostMs, 50 * 2 ** failures) * (0.5 + Math.random() / 2);

/** Waits; resolves at once when `stop` is aborted. */
export const pause = (ms: number, stop: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal: stop }).catch(() => undefined);
