/** So many requests in so many milliseconds. */
export interface Rate {
  readonly requests: number;
  readonly windowMs: number;
}

const windowsMs = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Reads a rate such as `10/s`, `100/m` or `5000/h`; undefined for anything else. */
export const parseRate = (text: string): Rate | undefined => {
  const [, requests, window] = /^([1-9]\d{0,6})\/([smh])$/.exec(text) ?? [];
  if (requests === undefined) return undefined;
  return { requests: Number(requests), windowMs: windowsMs[window as keyof typeof windowsMs] };
};

export interface Taken {
  readonly allowed: boolean;
  /** Requests that would be let through right now. */
  readonly remaining: number;
  /** Until the next request is let through; 0 if one would be now. */
  readonly retryMs: number;
  /** Until all of them are there again. */
  readonly fullMs: number;
}

export interface RateLimit {
  /** Takes one request of `who` off what `rate` gives it. */
  take(who: string, rate: Rate): Taken;
}

interface Bucket {
  tokens: number;
  at: number;
  fullAt: number;
}

/** Far more than there are keys; only addresses, which anybody may have many of, get there. */
const mostBuckets = 10_000;

/**
 * A token bucket for each `who`: a burst of all its requests, then an even flow; a fixed window would let twice as many
 * through around its end. It counts what this process sees. `now` is in milliseconds.
 */
export const createRateLimit = (now: () => number = () => performance.now()): RateLimit => {
  const buckets = new Map<string, Bucket>();

  /** A full bucket is as good as none; if all are in use, those that came first make room. */
  const prune = (time: number): void => {
    if (buckets.size < mostBuckets) return;
    for (const [who, { fullAt }] of buckets) if (fullAt <= time) buckets.delete(who);
    for (const who of buckets.keys()) {
      if (buckets.size < mostBuckets) break;
      buckets.delete(who);
    }
  };
  return {
    take(who, { requests, windowMs }) {
      const time = now();
      const tokenMs = windowMs / requests;
      let bucket = buckets.get(who);
      if (bucket === undefined) {
        prune(time);
        bucket = { tokens: requests, at: time, fullAt: time };
        buckets.set(who, bucket);
      }
      const tokens = Math.min(requests, bucket.tokens + (time - bucket.at) / tokenMs);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      const fullMs = (requests - left) * tokenMs;
      Object.assign(bucket, { tokens: left, at: time, fullAt: time + fullMs });
      return { allowed, remaining: Math.floor(left), retryMs: left >= 1 ? 0 : (1 - left) * tokenMs, fullMs };
    },
  };
};
