import assert from 'node:assert/strict';
import {
  accepted,
  dead,
  failed,
  idAt,
  newImage,
  type Open,
  processing,
  succeeded,
  withStore,
} from './samples.ts';

export const auditCases = (open: Open): void => {
  withStore(open, 'the ledger counts every image once', async (store) => {
    const nothing = { queued: 0, processing: 0, succeeded: 0, failed: 0, dead: 0 };
    const clean = { strayOutbox: 0, strayResults: 0, miscounted: 0 };
    assert.deepEqual(await store.ledger(), { states: nothing, outbox: 0, ...clean });
    const jobs = [];
    for (let n = 0; n < 15; n++) jobs.push(await accepted(store));
    await store.started(jobs.slice(0, 2).map((job) => processing(job)));
    await store.record(jobs.slice(2, 5).map((job) => succeeded(job)));
    await store.record(jobs.slice(5, 9).map((job) => failed(job)));
    await store.record(jobs.slice(9, 14).map((job) => dead(job)));
    await store.published(jobs.slice(0, 1));
    const [first, , done, , gone] = jobs;
    assert.ok(first && done && gone);
    const states = { queued: 1, processing: 2, succeeded: 3, failed: 4, dead: 5 };
    assert.deepEqual(await store.ledger(), { states, outbox: 2, ...clean });
    await store.remove(gone.id);
    await store.reprocess(done.id, 0);
    assert.deepEqual(await store.ledger(), {
      states: { ...states, queued: 2, succeeded: 1 },
      outbox: 3,
      ...clean,
    });
  });

  withStore(open, 'stored bytes are those of the originals that are kept', async (store) => {
    assert.equal(await store.storedBytes(), 0);
    const big = await accepted(store, { bytes: 5_000_000_000_000 });
    const small = await accepted(store, { bytes: 7 });
    assert.equal(await store.storedBytes(), 5_000_000_000_007);
    await store.record([succeeded(big)]);
    await store.originalsRemoved([big.id]);
    assert.equal(await store.storedBytes(), 7);
    await store.remove(small.id);
    assert.equal(await store.storedBytes(), 0);
  });

  withStore(open, 'all images in the order of their IDs, in parts', async (store) => {
    assert.deepEqual(await store.originals(undefined, 10), []);
    const jobs = [];
    for (const n of [4, 1, 3, 0, 2]) jobs.push(await accepted(store, { id: idAt(0, n) }));
    await store.record([failed({ id: idAt(0, 1), generation: 1 })]);
    await store.originalsRemoved([idAt(0, 1)]);
    const parts: string[][] = [];
    for (let after: string | undefined; ; after = parts.at(-1)?.at(-1)) {
      const part = await store.originals(after, 2);
      parts.push(part.map(({ id }) => id));
      if (part.length < 2) break;
    }
    assert.deepEqual(
      parts,
      [[0, 1], [2, 3], [4]].map((part) => part.map((n) => idAt(0, n))),
    );
    assert.deepEqual((await store.originals(undefined, 2))[1], {
      id: idAt(0, 1),
      state: 'failed',
      blob: null,
    });
  });

  withStore(open, 'which images exist', async (store) => {
    const images = Array.from({ length: 3 }, () => newImage());
    await store.accept([{ images }], 0);
    const known = images.map(({ id }) => id);
    await store.remove(known[1] ?? '');
    assert.deepEqual(await store.existing([]), new Set());
    assert.deepEqual(
      await store.existing([newImage().id, ...known, 'no ID', ...known]),
      new Set([known[0], known[2]]),
    );
    const many = Array.from({ length: 70_000 }, () => newImage().id);
    assert.deepEqual(await store.existing([...many, known[2] ?? '']), new Set([known[2]]));
  });

  withStore(open, 'who wants to be told of changes may be, or not', async (store) => {
    store.onChange(() => {});
    await accepted(store);
  });
};
