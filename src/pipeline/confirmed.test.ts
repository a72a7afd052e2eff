import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JobKey, Store } from '../store/store.ts';
import { createConfirmed } from './confirmed.ts';
import { log, newImage, openStore, settled } from './jobs.testing.ts';

/** A store with `count` images in its outbox, what was dropped from there, and how many more times that fails. */
const filled = async (t: TestContext, count: number, faults = 0) => {
  const store = await openStore();
  t.after(() => store.close());
  const images = Array.from({ length: count }, newImage);
  await store.accept([{ images }], 60_000);
  const dropped: string[][] = [];
  const told: Pick<Store, 'published'> = {
    async published(jobs: readonly JobKey[]) {
      dropped.push(jobs.map(({ id }) => id));
      if (dropped.length <= faults) throw new Error('away');
      await store.published(jobs);
    },
  };
  const keys = images.map(({ id }) => ({ id, generation: 1 }));
  return { store, keys, dropped, confirmed: createConfirmed(told, log) };
};
const outboxOf = async (store: Store): Promise<number> => (await store.outstanding()).outbox;

test('rows of confirmed jobs go together, but for those that a result took along', async (t) => {
  const { store, keys, dropped, confirmed } = await filled(t, 3);
  for (const key of keys) confirmed.add(key);
  confirmed.recorded(keys[1]?.id ?? '');
  assert.equal(await outboxOf(store), 3);
  while ((await outboxOf(store)) > 1) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(dropped, [[keys[0]?.id, keys[2]?.id]]);
  await confirmed.settle();
  assert.equal(dropped.length, 1, 'nothing to drop, nothing written');
});

test('settled at once on request, also what another call is about to drop', async (t) => {
  const { store, keys, confirmed } = await filled(t, 2);
  for (const key of keys) confirmed.add(key);
  void confirmed.settle();
  await confirmed.settle();
  assert.equal(await outboxOf(store), 0);
});

test('what could not be dropped is tried again', async (t) => {
  const { store, keys, dropped, confirmed } = await filled(t, 2, 1);
  for (const key of keys) confirmed.add(key);
  await confirmed.settle();
  assert.equal(await outboxOf(store), 2);
  await settled(store);
  assert.equal(dropped.length, 2);
});
