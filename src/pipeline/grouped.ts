/**
 * Turns a function over many items into one over a single item: what comes while a call is under way goes
 * into the next call together, so one transaction (and its fsync) serves many when there are many, and nobody
 * waits when there are few. At most `max` items a call. If a call of several throws, each of its items is tried
 * alone, so that one bad item fails nobody else.
 */
export const grouped = <Item, Answer>(
  many: (items: Item[]) => Promise<readonly Answer[]>,
  max = 128,
): ((item: Item) => Promise<Answer>) => {
  type Waiting = { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let running = false;

  const call = async (batch: Waiting[]): Promise<void> => {
    try {
      const answers = await many(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(answers[index] as Answer);
      });
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      else for (const one of batch) await call([one]);
    }
  };
  const run = async (): Promise<void> => {
    running = true;
    // Lets what arrived in the same turn of the event loop come along.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, max);
      waiting = waiting.slice(max);
      await call(batch);
    }
    running = false;
  };
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!running) void run();
    });
};
