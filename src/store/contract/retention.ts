import assert from 'node:assert/strict';
import type { Store } from '../store.ts';
import {
  accepted,
  at,
  dead,
  failed,
  future,
  idAt,
  minute,
  newImage,
  type Open,
  processing,
  succeeded,
  tick,
  withStore,
} from './samples.ts';

const ids = (found: readonly { id: string }[]): string[] => found.map(({ id }) => id);

/** A second apart, oldest first: succeeded, queued, dead, failed, processing, succeeded. */
const sixImages = async (store: Store): Promise<string[]> => {
  const jobs = [];
  for (let n = 0; n < 6; n++) jobs.push(await accepted(store, { id: idAt(n * 1000) }));
  const [a, , c, d, e, f] = jobs;
  assert.ok(a && c && d && e && f);
  await store.started([processing(e)]);
  await store.record([succeeded(f), dead(c), failed(d), succeeded(a)]);
  return ids(jobs);
};

export const retentionCases = (open: Open): void => {
  withStore(open, 'old images are the final ones accepted before, oldest first', async (store) => {
    const [a, , c, d, , f] = await sixImages(store);
    assert.ok(a && c && d && f);
    for (const list of [store.oldImages, store.oldOriginals]) {
      assert.deepEqual(ids(await list(at(6000), 10)), [a, c, d, f]);
      assert.deepEqual(ids(await list(at(6000), 2)), [a, c]);
      assert.deepEqual(ids(await list(at(3000), 10)), [a, c], 'before is exclusive');
      assert.deepEqual(ids(await list(at(3001), 10)), [a, c, d]);
      assert.deepEqual(await list(at(0), 10), []);
    }
    assert.deepEqual(await store.oldImages(at(2001), 10), [
      { id: a, state: 'succeeded', blob: `2026/11/23/${a}.jpg` },
      { id: c, state: 'dead', blob: `2026/11/23/${c}.jpg` },
    ]);
  });

  withStore(open, 'an original that was removed is known to be', async (store) => {
    const [a, b, c, d, e, f] = await sixImages(store);
    assert.ok(a && b && c && d && e && f);
    const before = [await store.image(a), await store.thumbnail(a), await store.lastEvent()];
    await store.originalsRemoved([f, a, b, c, e, newImage().id]);
    await store.originalsRemoved([a]);
    await store.originalsRemoved([]);
    assert.deepEqual([await store.image(a), await store.thumbnail(a), await store.lastEvent()], before);
    assert.deepEqual(
      [await store.blobOf(a), await store.blobOf(c), await store.blobOf(f)],
      [null, null, null],
    );
    for (const id of [b, d, e])
      assert.equal(await store.blobOf(id), `2026/11/23/${id}.jpg`, 'of no final image, or not asked for');
    assert.deepEqual(ids(await store.oldOriginals(at(6000), 10)), [d]);
    assert.deepEqual(
      (await store.oldImages(at(6000), 10)).map(({ id, blob }) => [id, blob]),
      [
        [a, null],
        [c, null],
        [d, `2026/11/23/${d}.jpg`],
        [f, null],
      ],
    );
    assert.equal(await store.reprocess(a, 0), 'no-original');
    assert.equal((await store.image(a))?.state, 'succeeded');
    assert.deepEqual(await store.remove(a), { blob: null });
    assert.equal(await store.blobOf(a), undefined);
  });

  withStore(
    open,
    'replay of dead images: those with an original, oldest first, due at once',
    async (store) => {
      const jobs = [];
      for (let n = 0; n < 5; n++) jobs.push(await accepted(store, { id: idAt(n * 1000) }));
      const [a, b, c, d, e] = jobs;
      assert.ok(a && b && c && d && e);
      await store.record([dead(e), dead(d), dead(c), failed(b), dead(a)]);
      await store.originalsRemoved([c.id]);
      await tick();
      assert.equal(await store.replayDead(2, undefined, at(0)), 0, 'none that died since');
      assert.equal(await store.replayDead(2, undefined, future()), 2);
      const replayed = await store.claimOutbox(10, minute);
      assert.deepEqual(
        replayed.map(({ id, generation, attempt }) => [id, generation, attempt]),
        [
          [a.id, 2, 1],
          [d.id, 2, 1],
        ],
      );
      const image = await store.image(a.id);
      assert.deepEqual(image && [image.state, image.generation, image.attempts, image.error], [
        'queued',
        2,
        0,
        null,
      ]);
      const last = (await store.events(0, 100)).slice(-2);
      assert.deepEqual(
        last.map(({ type, imageId }) => [type, imageId]),
        [
          ['queued', a.id],
          ['queued', d.id],
        ],
      );
      assert.deepEqual(last[0]?.image, image);
      assert.equal(await store.replayDead(10), 1);
      assert.equal(await store.replayDead(10), 0);
      assert.equal((await store.image(c.id))?.state, 'dead', 'nothing to work on');
      assert.deepEqual(await store.record([dead(a)]), ['stale']);
    },
  );

  withStore(open, 'replays of dead images at once take each of them once', async (store) => {
    const images = Array.from({ length: 60 }, () => newImage());
    await store.accept([{ images }], 0);
    await store.record(images.map(({ id }) => dead({ id, generation: 1 })));
    const counts = await Promise.all(Array.from({ length: 6 }, () => store.replayDead(15)));
    while (counts.at(-1) !== 0) counts.push(await store.replayDead(15));
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      60,
    );
    const jobs = await store.claimOutbox(100, 0);
    assert.deepEqual([jobs.length, jobs.every(({ generation }) => generation === 2)], [60, true]);
  });

  withStore(open, 'at work is what is processing and has changed since', async (store) => {
    const before = new Date().toISOString();
    const [one, two, three, four] = [
      await accepted(store),
      await accepted(store),
      await accepted(store),
      await accepted(store),
    ];
    assert.equal(await store.atWork(before), 0);
    await store.published([one, two, three, four]);
    await store.started([processing(one), processing(two), processing(three)]);
    await store.record([succeeded(three)]);
    assert.equal(await store.atWork(before), 2);
    await tick();
    const since = new Date().toISOString();
    assert.equal(await store.atWork(since), 0);
    await store.requeue(new Date(Date.now() + minute).toISOString(), 10);
    assert.equal(await store.atWork(since), 0, 'to be queued again is no sign of work');
    await store.started([processing(two, 2)]);
    assert.equal(await store.atWork(since), 1);
  });
};
