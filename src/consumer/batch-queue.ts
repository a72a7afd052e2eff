export interface BatchQueue<T> {
  add(item: T): void;
  /** It is to run by itself, before anything else. */
  addAlone(item: T): void;
  /**
   * The next batch for one of `sharers` workers. Empty if nothing waits, or if what waits is too little and not older
   * than `maxWaitMs` at the time `now`.
   */
  take(sharers: number, now: number): T[];
  /** When a batch that is held back for company is due; undefined if none is. */
  dueAt(): number | undefined;
  /** Empties the queue. */
  clear(): T[];
}

/** Forms batches from what waits: a worker's share of it or, while less than `maxBatch` waits, half a share. */
export const createBatchQueue = <T>({
  maxBatch,
  maxWaitMs,
}: {
  maxBatch: number;
  maxWaitMs: number;
}): BatchQueue<T> => {
  const waiting: { item: T; dueAt: number }[] = [];
  const alone: T[] = [];
  return {
    add: (item) => void waiting.push({ item, dueAt: performance.now() + maxWaitMs }),
    addAlone: (item) => void alone.push(item),
    take(sharers, now) {
      const single = alone.shift();
      if (single !== undefined) return [single];
      const [oldest] = waiting;
      if (!oldest || sharers < 1) return [];
      if (waiting.length < maxBatch && now < oldest.dueAt) return [];
      // Together they begin and together they end. While there is no backlog, half a share: the first ends sooner, and the
      // rest goes to whichever worker is done first. Who has them wait for company wants them together.
      const parts = waiting.length < maxBatch && maxWaitMs === 0 ? 2 * sharers : sharers;
      return waiting.splice(0, Math.min(maxBatch, Math.ceil(waiting.length / parts))).map(({ item }) => item);
    },
    dueAt: () => waiting[0]?.dueAt,
    clear: () => [...alone.splice(0), ...waiting.splice(0).map(({ item }) => item)],
  };
};
