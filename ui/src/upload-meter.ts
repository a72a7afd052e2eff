/** How far a batch of uploads is: everything that was added since the queue was last idle. */
export interface Overall {
  readonly files: number;
  /** Of them accepted, refused or given up on. */
  readonly ended: number;
  readonly bytes: number;
  readonly sent: number;
  /** Of late; null until there is something to tell it from. */
  readonly bytesPerSecond: number | null;
  readonly leftMs: number | null;
}

/** Long enough to be steady, short enough to follow the network (ms). */
const windowMs = 8_000;
const leastMs = 1_000;

/** Tells the rate from how much was sent when. Times in ms. */
export const createMeter = () => {
  let samples: { readonly at: number; readonly sent: number }[] = [];
  return {
    reset: () => {
      samples = [];
    },
    /** Bytes a second lately; null if there is no telling yet. */
    rate: (sent: number, at: number): number | null => {
      // A cancelled upload takes its bytes along.
      if (samples.some((sample) => sample.sent > sent)) samples = [];
      samples = [...samples.filter((sample) => at - sample.at <= windowMs), { at, sent }];
      const [first] = samples;
      if (!first || at - first.at < leastMs) return null;
      return ((sent - first.sent) / (at - first.at)) * 1000;
    },
  };
};

/** How long the rest takes at a rate, in ms; null if nothing moves. */
export const leftMs = (rest: number, bytesPerSecond: number | null): number | null =>
  bytesPerSecond === null || bytesPerSecond <= 0 ? null : (rest / bytesPerSecond) * 1000;
