import type { Store } from '../store/store.ts';
import { partOf } from './part-key.ts';

const page = 500;

/** What comes one by one, in pages that a store is asked about at once. */
export async function* pages<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < page) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/**
 * Which of these keys are parts of no unfinished upload, and were begun more than `ageMs` ago: a server died between
 * the bytes and the row, or never heard that the storage had them. Another installation's parts are not ours to judge.
 */
export const strayParts = async (
  store: Pick<Store, 'installation' | 'livingParts'>,
  keys: readonly string[],
  ageMs: number,
): Promise<string[]> => {
  const ours = await store.installation();
  const old = keys.filter((key) => {
    const { installation = ours, begunAt = Date.now() } = partOf(key) ?? {};
    return installation === ours && Date.now() - begunAt > ageMs;
  });
  if (old.length === 0) return [];
  const living = await store.livingParts(old);
  return old.filter((key) => !living.has(key));
};
