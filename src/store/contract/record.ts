import assert from 'node:assert/strict';
import {
  accepted,
  dead,
  failed,
  newImage,
  nothingOutstanding,
  type Open,
  processing,
  result,
  succeeded,
  webp,
  withStore,
} from './samples.ts';

export const recordCases = (open: Open): void => {
  withStore(
    open,
    'a hint makes a queued image of its generation processing, and counts later attempts',
    async (store) => {
      const job = await accepted(store);
      const unknown = { id: newImage().id, generation: 1 };
      await store.started([processing(unknown), processing({ ...job, generation: 2 })]);
      assert.equal((await store.image(job.id))?.state, 'queued');
      await store.started([processing(job, 2), processing(job, 3)]);
      await store.started([processing(job, 4)]);
      await store.started([processing(job, 1), processing(job, 4)]);
      const image = await store.image(job.id);
      assert.deepEqual([image?.state, image?.attempts], ['processing', 4]);
      const events = await store.events(0, 10);
      assert.deepEqual(
        events.map(({ type, image }) => [type, image?.state, image?.attempts]),
        [
          ['queued', 'queued', 0],
          ['processing', 'processing', 3],
          ['processing', 'processing', 4],
        ],
      );
      await store.record([failed(job)]);
      await store.started([processing(job), processing(job)]);
      assert.equal((await store.image(job.id))?.state, 'failed');
      await store.started([]);
    },
  );

  withStore(open, 'a result ends its image', async (store) => {
    const job = await accepted(store);
    assert.deepEqual(await store.record([succeeded(job, 'cat', 2)]), ['recorded']);
    const image = await store.image(job.id);
    assert.deepEqual(image && [image.state, image.width, image.height, image.attempts, image.error], [
      'succeeded',
      640,
      480,
      2,
      null,
    ]);
    assert.deepEqual(image?.result, result('cat'));
    assert.deepEqual(Buffer.from((await store.thumbnail(job.id)) ?? []).toString('base64'), webp('cat'));
    assert.deepEqual(await store.outstanding(), nothingOutstanding);
    const [, event] = await store.events(0, 10);
    assert.deepEqual([event?.type, event?.image], ['succeeded', image]);
  });

  withStore(open, 'an event knows the trace that led to it, if there is one', async (store) => {
    const [upload, outcome] = ['b7ad6b7169203331', '00f067aa0ba902b7'].map(
      (span) => `00-0af7651916cd43dd8448eb211c80319c-${span}-01`,
    );
    const [traced, plain] = [newImage(), newImage()];
    await store.accept(
      [{ images: [traced], ...(upload && { traceparent: upload }) }, { images: [plain] }],
      0,
    );
    const ended = succeeded({ id: traced.id, generation: 1 });
    await store.record([
      { ...ended, ...(outcome && { traceparent: outcome }) },
      failed({ id: plain.id, generation: 1 }),
    ]);
    const events = await store.events(0, 10);
    assert.deepEqual(
      events.map(({ imageId, traceparent }) => [imageId, traceparent]),
      [
        ...[
          [traced.id, upload],
          [plain.id, undefined],
        ],
        ...[
          [traced.id, outcome],
          [plain.id, undefined],
        ],
      ],
    );
  });

  withStore(open, 'failed and dead say why', async (store) => {
    const [bad, lost, seen] = [await accepted(store), await accepted(store), await accepted(store)];
    const looked = { ...failed(seen), picture: { width: 3, height: 4, thumbnail: webp('seen') } };
    assert.deepEqual(await store.record([failed(bad), dead(lost), looked]), Array(3).fill('recorded'));
    const image = await store.image(bad.id);
    assert.deepEqual(image && [image.state, image.width, image.attempts, image.result], [
      'failed',
      null,
      1,
      null,
    ]);
    assert.deepEqual(image?.error, { code: 'undecodable', message: 'the picture is broken' });
    const other = await store.image(lost.id);
    assert.deepEqual([other?.state, other?.attempts, other?.error?.code], ['dead', 5, 'deadline-exceeded']);
    const third = await store.image(seen.id);
    assert.deepEqual([third?.width, third?.height], [3, 4]);
    assert.ok(await store.thumbnail(seen.id));
    assert.equal(await store.thumbnail(bad.id), undefined);
  });

  withStore(open, 'the first end counts; what comes later changes nothing', async (store) => {
    const [one, two, three] = [await accepted(store), await accepted(store), await accepted(store)];
    const batch = [succeeded(one, 'cat'), succeeded(one, 'dog'), dead(two), succeeded(two), succeeded(three)];
    const answers = ['recorded', 'repeated', 'recorded', 'repeated', 'recorded'];
    assert.deepEqual(await store.record(batch), answers);
    const read = async () => [
      await store.image(one.id),
      await store.image(two.id),
      await store.image(three.id),
      await store.thumbnail(one.id),
      await store.lastEvent(),
    ];
    const before = await read();
    const again = [...batch, dead(one), failed(three), succeeded(three, 'other', 4, 'sha256:2')];
    assert.deepEqual(await store.record(again), Array(8).fill('repeated'));
    assert.deepEqual(await read(), before);
    assert.equal((await store.image(one.id))?.result?.label, 'cat');
    assert.deepEqual(
      [(await store.image(two.id))?.state, (await store.image(two.id))?.result],
      ['dead', null],
    );
    assert.equal((await store.events(0, 20)).length, 6);
  });

  withStore(open, 'the same result in calls at once is recorded once', async (store) => {
    const job = await accepted(store);
    const calls = Array.from({ length: 6 }, () => store.record([succeeded(job)]));
    const answers = (await Promise.all(calls)).flat().sort();
    assert.deepEqual(answers, ['recorded', ...Array(5).fill('repeated')]);
    assert.equal((await store.events(0, 10)).length, 2);
  });

  withStore(open, 'an unknown image changes nothing', async (store) => {
    const job = await accepted(store);
    const unknown = { id: newImage().id, generation: 1 };
    assert.deepEqual(await store.record([succeeded(unknown), succeeded(job), dead(unknown)]), [
      'unknown',
      'recorded',
      'unknown',
    ]);
    assert.deepEqual(await store.record([]), []);
    assert.equal((await store.events(0, 10)).length, 2);
  });
};
