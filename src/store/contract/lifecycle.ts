import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accepted,
  failed,
  minute,
  newImage,
  nothingOutstanding,
  type Open,
  processing,
  succeeded,
  tick,
  webp,
  withStore,
} from './samples.ts';

export const lifecycleCases = (open: Open): void => {
  withStore(open, 'reprocessing starts a new generation', async (store) => {
    const job = await accepted(store);
    assert.equal(await store.reprocess(newImage().id, 0), 'not-found');
    assert.equal(await store.reprocess(job.id, 0), 'unfinished');
    await store.started([processing(job)]);
    assert.equal(await store.reprocess(job.id, 0), 'unfinished');
    await store.record([succeeded(job, 'cat', 3)]);
    await tick();
    const before = Date.now();
    const again = await store.reprocess(job.id, minute);
    assert.ok(typeof again === 'object');
    assert.deepEqual([again.id, again.generation, again.attempt], [job.id, 2, 1]);
    assert.ok(Date.parse(again.submittedAt) >= before, 'waits since now, not since the upload');
    const image = await store.image(job.id);
    assert.deepEqual(image && [image.state, image.generation, image.attempts], ['queued', 2, 0]);
    assert.deepEqual(image && [image.result, image.error, image.width], [null, null, 640]);
    const last = (await store.events(0, 10)).at(-1);
    assert.deepEqual([last?.type, last?.image], ['queued', image]);
    assert.deepEqual(await store.claimOutbox(10, 0), [], 'held back for the caller');
    assert.equal((await store.outstanding()).outbox, 1);
    assert.equal((await store.images({ limit: 10, label: 'cat' })).images.length, 0);
  });

  withStore(open, 'what comes late of an older generation is stale', async (store) => {
    const first = await accepted(store);
    await store.record([failed(first)]);
    await store.reprocess(first.id, 0);
    const second = { ...first, generation: 2 };
    const before = [await store.image(first.id), await store.lastEvent()];
    await store.published([first]);
    await store.started([processing(first)]);
    assert.deepEqual(await store.record([succeeded(first, 'dog')]), ['stale']);
    assert.deepEqual([await store.image(first.id), await store.lastEvent()], before);
    assert.equal((await store.outstanding()).outbox, 1);
    assert.deepEqual(await store.record([succeeded(second, 'cat'), succeeded(first, 'dog')]), [
      'recorded',
      'stale',
    ]);
    assert.equal((await store.image(first.id))?.result?.label, 'cat');
    assert.equal(Buffer.from((await store.thumbnail(first.id)) ?? []).toString('base64'), webp('cat'));
    await store.reprocess(first.id, 0);
    await store.record([succeeded({ ...first, generation: 3 }, 'other')]);
    assert.equal(Buffer.from((await store.thumbnail(first.id)) ?? []).toString('base64'), webp('other'));
    await store.reprocess(first.id, 0);
    await store.record([failed({ ...first, generation: 4 })]);
    const image = await store.image(first.id);
    assert.deepEqual([image?.state, image?.width, image?.height], ['failed', 640, 480], 'known from before');
  });

  withStore(open, 'a removed image is gone in whatever state it was', async (store) => {
    const [waiting, done] = [await accepted(store), await accepted(store)];
    await store.record([succeeded(done)]);
    for (const { id } of [waiting, done]) {
      const blob = await store.blobOf(id);
      assert.deepEqual(await store.remove(id), { blob });
      assert.equal(await store.remove(id), 'not-found');
      assert.deepEqual(
        [await store.image(id), await store.thumbnail(id), await store.blobOf(id)],
        [undefined, undefined, undefined],
      );
      assert.equal(await store.reprocess(id, 0), 'not-found');
    }
    assert.deepEqual(await store.record([succeeded(waiting), failed(done)]), ['unknown', 'unknown']);
    await store.started([processing(waiting)]);
    assert.deepEqual(await store.outstanding(), nothingOutstanding);
    const ends = (await store.events(0, 10)).slice(-2);
    assert.deepEqual(
      ends.map(({ type, imageId, image }) => [type, imageId, image]),
      [
        ['deleted', waiting.id, null],
        ['deleted', done.id, null],
      ],
    );
  });

  withStore(open, 'events: after a number, of one image, each as the image was then', async (store) => {
    const [one, two] = [await accepted(store), await accepted(store)];
    assert.equal((await store.events(0, 1)).length, 1);
    const middle = await store.lastEvent();
    await store.started([processing(one), processing(two)]);
    await store.record([succeeded(one)]);
    const all = await store.events(0, 100);
    assert.deepEqual(
      all.map(({ seq }) => seq),
      all.map(({ seq }) => seq).toSorted((a, b) => a - b),
    );
    assert.equal(new Set(all.map(({ seq }) => seq)).size, 5);
    assert.deepEqual(await store.events(middle, 100), all.slice(2));
    const ofOne = await store.events(0, 100, one.id);
    assert.deepEqual(
      ofOne.map(({ type, image }) => [type, image?.state]),
      ['queued', 'processing', 'succeeded'].map((state) => [state, state]),
    );
    assert.ok(ofOne.every(({ at, image }) => at === image?.updatedAt));
    assert.deepEqual(await store.events(middle, 1, one.id), ofOne.slice(1, 2));
    assert.equal(await store.lastEvent(), all.at(-1)?.seq);
    assert.deepEqual(await store.events(await store.lastEvent(), 10), []);
  });

  withStore(open, 'ping answers again and again', async (store) => {
    await Promise.all([store.ping(), store.ping()]);
    await store.ping();
  });

  test('closing lets calls in flight come to their end; later ones fail', async () => {
    const store = await open();
    const calls = [accepted(store), store.ping(), accepted(store)];
    await store.close();
    await Promise.all(calls);
    await assert.rejects(store.ping(), { name: 'Error', code: 'closed' });
    await assert.rejects(store.accept([{ images: [newImage()] }], 0), { code: 'closed' });
    await store.close();
  });
};
