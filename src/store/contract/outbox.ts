import assert from 'node:assert/strict';
import {
  accepted,
  dead,
  failed,
  future,
  minute,
  newImage,
  type Open,
  processing,
  tick,
  withStore,
} from './samples.ts';

export const outboxCases = (open: Open): void => {
  withStore(open, 'a job waits in the outbox until it is published', async (store) => {
    const image = newImage();
    const before = Date.now();
    await store.accept([{ images: [image] }], 0);
    const [job, ...others] = await store.claimOutbox(10, 0);
    assert.deepEqual(job, {
      version: 1,
      id: image.id,
      blob: image.blob,
      contentType: image.contentType,
      bytes: image.bytes,
      pipeline: 'pets',
      generation: 1,
      attempt: 1,
      submittedAt: job?.submittedAt,
    });
    const submittedAt = Date.parse(job?.submittedAt ?? '');
    assert.ok(submittedAt >= before && submittedAt <= Date.now());
    assert.deepEqual(others, []);
    await store.published([{ id: image.id, generation: 2 }]);
    assert.equal((await store.outstanding()).outbox, 1);
    await store.published([{ id: image.id, generation: 1 }]);
    assert.deepEqual(await store.claimOutbox(10, 0), []);
    await store.published([{ id: image.id, generation: 1 }]);
    await store.published([]);
  });

  withStore(open, 'a job carries the trace of its upload', async (store) => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const traced = [newImage(), newImage()];
    const plain = newImage();
    await store.accept([{ images: traced, traceparent }, { images: [plain] }], 0);
    const jobs = await store.claimOutbox(10, 0);
    assert.deepEqual(
      new Map(jobs.map((job) => [job.id, job.traceparent])),
      new Map([...traced.map(({ id }) => [id, traceparent] as const), [plain.id, undefined]]),
    );
    assert.ok(!('traceparent' in (jobs.find(({ id }) => id === plain.id) ?? assert.fail())));
  });

  withStore(
    open,
    'a job that is queued again carries the trace that led to where its image is',
    async (store) => {
      const [upload, outcome, request] = ['1', '2', '3'].map(
        (digit) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`,
      );
      const image = newImage();
      const traceOfNext = async () => {
        const [job] = await store.claimOutbox(10, 0);
        await store.published([job ?? assert.fail()]);
        return job?.traceparent;
      };
      await store.accept([{ images: [image], ...(upload && { traceparent: upload }) }], 0);
      assert.equal(await traceOfNext(), upload);
      assert.equal(await store.requeue(future(), 10), 1);
      assert.equal(await traceOfNext(), upload, 'the same job');
      const first = { id: image.id, generation: 1, attempt: 1 };
      await store.record([{ ...dead(first), ...(outcome && { traceparent: outcome }) }]);
      const again = await store.reprocess(image.id, 0, request);
      assert.ok(typeof again === 'object');
      assert.equal(again.traceparent, outcome);
      assert.equal(await traceOfNext(), outcome, 'for a link');
      assert.equal((await store.events(0, 10)).at(-1)?.traceparent, request);
      await store.record([dead({ ...first, generation: 2 })]);
      assert.equal(await store.replayDead(10), 1);
      assert.equal(await traceOfNext(), request);
      assert.equal((await store.events(0, 10)).at(-1)?.traceparent, undefined);
    },
  );

  withStore(open, 'whoever claims a job holds it for the lease', async (store) => {
    await accepted(store, {}, minute);
    assert.deepEqual(await store.claimOutbox(10, 0), []);
    const due = await accepted(store);
    assert.deepEqual(
      (await store.claimOutbox(10, minute)).map(({ id }) => id),
      [due.id],
    );
    assert.deepEqual(await store.claimOutbox(10, minute), []);
  });

  withStore(open, 'overdue jobs come oldest first, each to one claimant', async (store) => {
    const keys = [];
    for (let n = 0; n < 6; n++) {
      keys.push(await accepted(store));
      await tick();
    }
    const ids = keys.map(({ id }) => id);
    assert.deepEqual(
      (await store.claimOutbox(4, 0)).map(({ id }) => id),
      ids.slice(0, 4),
    );
    const claims = await Promise.all([1, 2, 3].map(() => store.claimOutbox(2, minute)));
    assert.deepEqual(
      claims
        .flat()
        .map(({ id }) => id)
        .sort(),
      ids,
    );
  });

  withStore(open, 'requeue takes what is unfinished, unchanged and not in the outbox', async (store) => {
    const waiting = await accepted(store);
    const working = await accepted(store);
    const over = await accepted(store);
    const inOutbox = await accepted(store);
    await store.published([waiting, working, over]);
    await store.started([processing(working, 3)]);
    await store.record([failed(over)]);
    assert.equal(await store.requeue('2020-01-01T00:00:00Z', 10), 0);
    const before = await store.image(waiting.id);
    const events = await store.lastEvent();
    assert.equal(await store.requeue(future(), 10), 2);
    assert.deepEqual([await store.image(waiting.id), await store.lastEvent()], [before, events]);
    const jobs = await store.claimOutbox(10, 0);
    assert.deepEqual(
      new Map(jobs.map(({ id, attempt }) => [id, attempt])),
      new Map([
        [waiting.id, 1],
        [working.id, 3],
        [inOutbox.id, 1],
      ]),
    );
    assert.equal(await store.requeue(future(), 10), 0);
  });

  withStore(open, 'a claimed job begins to wait in the queue when it is claimed', async (store) => {
    const job = await accepted(store);
    await tick();
    const since = new Date().toISOString();
    await tick();
    await store.claimOutbox(10, 0);
    await store.published([job]);
    assert.equal(await store.requeue(since, 10), 0, 'it has news');
    await tick();
    assert.equal(await store.requeue(new Date().toISOString(), 10), 1);
  });

  withStore(
    open,
    'requeue in batches, oldest first, comes to an end while jobs are published',
    async (store) => {
      const keys = [];
      for (let n = 0; n < 5; n++) keys.push(await accepted(store));
      await store.published(keys);
      // The oldest is the one that has been unchanged the longest.
      await tick();
      await store.started([processing(keys[0] ?? assert.fail())]);
      await tick();
      const since = new Date().toISOString();
      const requeued: string[] = [];
      for (const expected of [2, 2, 1, 0]) {
        assert.equal(await store.requeue(since, 2), expected);
        const jobs = await store.claimOutbox(10, minute);
        requeued.push(...jobs.map(({ id }) => id));
        await store.published(jobs);
      }
      const [first, ...rest] = keys.map(({ id }) => id);
      assert.deepEqual(requeued, [...rest, first]);
    },
  );

  withStore(open, 'requeue and claims by several at once: every job to one claimant', async (store) => {
    const images = Array.from({ length: 300 }, () => newImage());
    await store.accept([{ images }], 0);
    const keys = images.map(({ id }) => ({ id, generation: 1 }));
    await store.published(keys);
    const claimed: string[] = [];
    const relay = async () => {
      for (const since = future(); ; ) {
        const requeued = await store.requeue(since, 20);
        const jobs = await store.claimOutbox(15, minute);
        claimed.push(...jobs.map(({ id }) => id));
        if (requeued === 0 && jobs.length === 0) return;
      }
    };
    await Promise.all(Array.from({ length: 6 }, relay));
    assert.deepEqual(
      claimed.sort(),
      keys.map(({ id }) => id),
    );
  });

  withStore(open, 'outstanding counts what is unfinished and what is unpublished', async (store) => {
    const first = await accepted(store, { id: '019b0000-0001-7000-8000-000000000000' });
    const second = await accepted(store, { id: '019b0000-0002-7000-8000-000000000000' });
    await store.published([second]);
    const time = (ms: number) => new Date(ms).toISOString();
    const { oldestCreatedAt } = await store.outstanding();
    assert.equal(oldestCreatedAt, time(0x019b00000001));
    const before = Date.now();
    const [third] = [await accepted(store), await tick(), await accepted(store)];
    await store.record([dead(first), dead(third)]);
    const { oldestOutboxAt, ...rest } = await store.outstanding();
    assert.deepEqual(rest, { images: 2, oldestCreatedAt: time(0x019b00000002), dead: 2, outbox: 1 });
    // Recorded images have left it, whatever became of their messages; the one that stays came after both.
    assert.ok(Date.parse(oldestOutboxAt ?? '') > before, `oldest row of ${oldestOutboxAt}`);
  });
};
