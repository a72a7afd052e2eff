import assert from 'node:assert/strict';
import type { Store, Summary } from '../store.ts';
import {
  accepted,
  at,
  dead,
  failed,
  future,
  idAt,
  newImage,
  type Open,
  processing,
  succeeded,
  withStore,
} from './samples.ts';

const long = '2020-01-01T00:00:00Z';
const none = { queued: 0, processing: 0, succeeded: 0, failed: 0, dead: 0 };
const total = ({ flow }: Summary): { accepted: number; finished: number } => ({
  accepted: flow.reduce((sum, { accepted }) => sum + accepted, 0),
  finished: flow.reduce((sum, { finished }) => sum + finished, 0),
});

/** Checks that the summary counts what the images themselves say. */
const assertRight = async (store: Store): Promise<Summary> => {
  const [found, { states, miscounted }] = [await store.summary(long), await store.ledger()];
  assert.deepEqual(found.states, states);
  assert.equal(miscounted, 0);
  const images = (await store.images({ limit: 10_000 })).images;
  const labels = images.flatMap(({ result }) => result?.label ?? []);
  assert.deepEqual(
    found.labels,
    Object.fromEntries(labels.map((label) => [label, labels.filter((other) => other === label).length])),
  );
  return found;
};

export const countCases = (open: Open): void => {
  withStore(open, 'the summary counts states and labels through every change', async (store) => {
    assert.deepEqual(await store.summary(long), {
      states: none,
      labels: {},
      oldestUnfinishedAt: null,
      flow: [],
    });
    const jobs = [];
    for (let n = 0; n < 8; n++) jobs.push(await accepted(store, { id: idAt(n * 1000) }));
    const [a, b, c, d, e, f, g, h] = jobs;
    assert.ok(a && b && c && d && e && f && g && h);
    assert.deepEqual((await assertRight(store)).states, { ...none, queued: 8 });
    await store.started([
      processing(a),
      processing(a, 2),
      processing(b),
      processing({ ...c, generation: 9 }),
    ]);
    await store.started([processing(a, 3)]);
    assert.deepEqual((await assertRight(store)).states, { ...none, queued: 6, processing: 2 });
    await store.record([
      succeeded(a, 'cat'),
      succeeded(a, 'dog'),
      succeeded(c, 'dog'),
      failed(d),
      dead(e),
      dead(f),
    ]);
    await store.record([
      succeeded(g, 'dog'),
      succeeded({ id: newImage().id, generation: 1 }, 'cat'),
      failed(c),
    ]);
    const most = await assertRight(store);
    assert.deepEqual(most.states, { queued: 1, processing: 1, succeeded: 3, failed: 1, dead: 2 });
    assert.deepEqual(most.labels, { cat: 1, dog: 2 });
    assert.equal(most.oldestUnfinishedAt, at(1000));
    assert.deepEqual(total(most), { accepted: 8, finished: 6 });

    await store.reprocess(a.id, 0);
    await store.replayDead(1);
    assert.deepEqual((await assertRight(store)).labels, { dog: 2 });
    assert.equal((await assertRight(store)).oldestUnfinishedAt, at(0));
    await store.record([succeeded({ ...a, generation: 2 }, 'other')]);
    for (const { id } of [b, c, f, h]) await store.remove(id);
    await store.remove(h.id);
    const last = await assertRight(store);
    assert.deepEqual(last.states, { queued: 1, processing: 0, succeeded: 2, failed: 1, dead: 0 });
    assert.deepEqual(last.labels, { dog: 1, other: 1 });
    assert.deepEqual(total(last), { accepted: 8, finished: 7 });
  });

  withStore(open, 'a call that fails or is repeated counts nothing', async (store) => {
    const image = newImage();
    await store.accept([{ images: [image] }], 0);
    await store.accept([{ images: [image] }], 0);
    const bad = { images: [newImage(), newImage({ bytes: Number.NaN })] };
    await assert.rejects(store.accept([bad], 0), { code: 'failed' });
    assert.deepEqual(total(await assertRight(store)), { accepted: 1, finished: 0 });
  });

  withStore(
    open,
    'flow is told by the second since a time, until it is merged; totals stay',
    async (store) => {
      const began = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
      const jobs = [await accepted(store), await accepted(store)];
      await store.record(jobs.map((job) => succeeded(job)));
      const before = await assertRight(store);
      assert.ok(before.flow.every(({ at }) => at >= began && at.endsWith('.000Z')));
      assert.deepEqual(total(await store.summary(began)), { accepted: 2, finished: 2 });
      assert.deepEqual((await store.summary(future())).flow, []);
      await store.mergeCounts(long);
      assert.deepEqual(await assertRight(store), before);
      await store.mergeCounts(future());
      await store.mergeCounts(future());
      assert.deepEqual(await assertRight(store), { ...before, flow: [] });
      await store.remove(jobs[0]?.id ?? '');
      await store.mergeCounts(future());
      assert.deepEqual((await assertRight(store)).states, { ...none, succeeded: 1 });
      assert.equal(await store.recount(), false);
    },
  );

  withStore(open, 'many writers at once are all counted', async (store) => {
    const images = Array.from({ length: 200 }, () => newImage());
    const live = async (part: typeof images, n: number): Promise<void> => {
      await store.accept([{ images: part }], 0);
      const jobs = part.map(({ id }) => ({ id, generation: 1 }));
      await store.started(jobs.map((job) => processing(job)));
      await store.record(
        jobs.map((job, index) => (index % 3 ? succeeded(job, `${(index + n) % 5}`) : dead(job))),
      );
      await Promise.all([
        store.replayDead(2),
        store.reprocess(part[1]?.id ?? '', 0),
        store.remove(part[2]?.id ?? ''),
      ]);
      await store.mergeCounts(future());
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => live(images.slice(n * 10, n * 10 + 10), n)));
    const { states } = await assertRight(store);
    assert.equal(
      Object.values(states).reduce((sum, n) => sum + n),
      180,
    );
  });
};
