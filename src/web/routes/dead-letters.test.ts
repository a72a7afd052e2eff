import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { dead, newImage } from '../../store/contract/samples.ts';
import type { Store } from '../../store/store.ts';
import { openWeb } from '../web.testing.ts';

const replayAll = { method: 'POST', url: '/dead-letters/replay' } as const;

const withDeadImages = async (t: TestContext, count: number) => {
  const { app, store } = await openWeb(t);
  const images = Array.from({ length: count }, () => newImage());
  await store.accept([{ images }], 60_000);
  await store.record(images.map(({ id }) => dead({ id, generation: 1 })));
  const replay = async (): Promise<number> => (await app.inject(replayAll)).json().replayed;
  return { store, replay };
};
const deadIn = async (store: Store): Promise<number> => (await store.outstanding()).dead;

/** Calls `look` in every turn of the event loop until `work` is done. */
const meanwhile = async <T>(work: Promise<T>, look: () => Promise<void>): Promise<T> => {
  let over = false;
  const looking = (async () => {
    while (!over) {
      await look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  try {
    return await work;
  } finally {
    over = true;
    await looking;
  }
};

test('a replay of many lets others have their turn, also where the store answers at once', async (t) => {
  const { store, replay } = await withDeadImages(t, 700);
  const seen = new Set<number>();
  const replayed = await meanwhile(replay(), async () => void seen.add(await deadIn(store)));
  assert.equal(replayed, 700);
  assert.deepEqual([...seen].filter((count) => count > 0 && count < 700).length, 3, [...seen].join());
});

test('an image that dies again meanwhile is not replayed once more', async (t) => {
  const { store, replay } = await withDeadImages(t, 450);
  const died = new Set<string>();
  const replayed = await meanwhile(replay(), async () => {
    const { images } = await store.images({ state: 'queued', limit: 50 });
    await store.record(images.map(({ id, generation }) => dead({ id, generation })));
    for (const { id, generation } of images) died.add(`${id} ${generation}`);
  });
  assert.equal(replayed, 450);
  assert.ok(died.size >= 50, `${died.size} died again`);
});

test('a replay that was cut off between two batches is taken up by the next', async (t) => {
  const { store, replay } = await withDeadImages(t, 450);
  assert.equal(await store.replayDead(200), 200);
  assert.equal(await replay(), 250);
  const generations = (await store.images({ limit: 500 })).images.map(({ generation }) => generation);
  assert.deepEqual([generations.length, new Set(generations)], [450, new Set([2])]);
});
