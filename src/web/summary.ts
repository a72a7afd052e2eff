import { type Static, Type } from 'typebox';
import { Nullable } from '../pipeline/image.ts';
import type { Flow, Store } from '../store/store.ts';
import { cached } from './cached.ts';

const count = Type.Integer({ minimum: 0 });
const time = Type.String({ format: 'date-time' });

export const Summary = Type.Object({
  states: Type.Object({ queued: count, processing: count, succeeded: count, failed: count, dead: count }),
  total: count,
  labels: Type.Record(Type.String(), count, { description: 'How many images have each label' }),
  oldestUnfinishedAt: Nullable(time, 'When the oldest image that is queued or processing was uploaded'),
  at: time,
  throughput: Type.Object({
    perSecond: Type.Number({ description: 'Images finished in the last minute, divided by 60' }),
    stepSeconds: Type.Integer(),
    series: Type.Array(Type.Object({ at: time, accepted: count, finished: count }), {
      description:
        'The last 30 steps, oldest first, each told by its begin; the last one is not over. An image that is reprocessed is finished once more.',
    }),
  }),
});
/** All images together. */
export type Summary = Static<typeof Summary>;

const stepMs = 10_000;
const steps = 30;
const minuteMs = 60_000;
/** How long (ms) the store is to keep the flow for {@link createSummary}. */
export const flowMs = steps * stepMs;
/** Every open page asks again and again. */
const freshMs = 1_000;

const isoOf = (ms: number): string => new Date(ms).toISOString();
const firstStep = (now: number): number => Math.floor(now / stepMs) * stepMs - flowMs + stepMs;

/** Throughput as of `now` (ms since 1970), from the seconds in which something happened. */
export const throughputOf = (flow: readonly Flow[], now: number): Summary['throughput'] => {
  const first = firstStep(now);
  const series = Array.from({ length: steps }, (_, n) => ({
    at: isoOf(first + n * stepMs),
    accepted: 0,
    finished: 0,
  }));
  let lastMinute = 0;
  for (const { at, accepted, finished } of flow) {
    const begin = Date.parse(at);
    // Another server's clock may be ahead.
    const step = series[Math.min(steps - 1, Math.floor((begin - first) / stepMs))];
    if (step === undefined) continue;
    step.accepted += accepted;
    step.finished += finished;
    if (begin > now - minuteMs) lastMinute += finished;
  }
  return { perSecond: lastMinute / 60, stepSeconds: stepMs / 1000, series };
};

/** All images together, one second old at most, for all who ask. Rejects as the store does. */
export const createSummary = (store: Store): (() => Promise<Summary>) =>
  cached(async () => {
    const now = Date.now();
    const { flow, ...counts } = await store.summary(isoOf(firstStep(now)));
    const total = Object.values(counts.states).reduce((sum, n) => sum + n, 0);
    return { ...counts, total, at: isoOf(now), throughput: throughputOf(flow, now) };
  }, freshMs);
