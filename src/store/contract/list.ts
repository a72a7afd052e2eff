import assert from 'node:assert/strict';
import type { ImageQuery, Store } from '../store.ts';
import {
  accepted,
  at,
  dead,
  failed,
  idAt,
  newImage,
  type Open,
  processing,
  succeeded,
  withStore,
} from './samples.ts';

const names = async (store: Store, query: Partial<ImageQuery>): Promise<string[]> =>
  (await store.images({ limit: 100, ...query })).images.map(({ filename }) => filename);

const allPages = async (store: Store, query: ImageQuery): Promise<{ sizes: number[]; names: string[] }> => {
  const seen = { sizes: [] as number[], names: [] as string[] };
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.images({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    seen.sizes.push(page.images.length);
    seen.names.push(...page.images.map(({ filename }) => filename));
    cursor = page.next;
  }
  return seen;
};

/** a.jpg to f.jpg, a second apart, a the oldest. */
const sixImages = async (store: Store): Promise<void> => {
  const jobs = [];
  for (const [n, letter] of [...'abcdef'].entries())
    jobs.push(await accepted(store, { id: idAt(n * 1000), filename: `${letter}.jpg` }));
  const [a, b, c, d, e] = jobs;
  assert.ok(a && b && c && d && e);
  await store.record([succeeded(a, 'cat'), succeeded(b, 'dog'), failed(c), dead(d), succeeded(e, 'cat')]);
};

export const listCases = (open: Open): void => {
  withStore(open, 'newest first by the time in the ID, whatever order they came in', async (store) => {
    for (const n of [3, 1, 2]) await accepted(store, { id: idAt(n), filename: `${n}` });
    assert.deepEqual(await names(store, {}), ['3', '2', '1']);
    const { images } = await store.images({ limit: 1 });
    assert.deepEqual(images, [await store.image(idAt(3))]);
  });

  withStore(open, 'filters by state and label', async (store) => {
    await sixImages(store);
    assert.deepEqual(await names(store, { state: 'succeeded' }), ['e.jpg', 'b.jpg', 'a.jpg']);
    assert.deepEqual(await names(store, { state: 'failed' }), ['c.jpg']);
    assert.deepEqual(await names(store, { state: 'dead' }), ['d.jpg']);
    assert.deepEqual(await names(store, { state: 'queued' }), ['f.jpg']);
    assert.deepEqual(await names(store, { state: 'processing' }), []);
    await store.started([processing({ id: idAt(5000), generation: 1 })]);
    assert.deepEqual(await names(store, { state: 'processing' }), ['f.jpg']);
    assert.deepEqual(await names(store, { label: 'cat' }), ['e.jpg', 'a.jpg']);
    assert.deepEqual(await names(store, { label: 'cat', state: 'succeeded' }), ['e.jpg', 'a.jpg']);
    assert.deepEqual(await names(store, { label: 'cat', state: 'failed' }), []);
    assert.deepEqual(await names(store, { label: 'Cat' }), []);
  });

  withStore(open, 'filters by time: from inclusive, until exclusive', async (store) => {
    await sixImages(store);
    assert.deepEqual(await names(store, { from: at(4000) }), ['f.jpg', 'e.jpg']);
    assert.deepEqual(await names(store, { from: at(4001) }), ['f.jpg']);
    assert.deepEqual(await names(store, { until: at(1000) }), ['a.jpg']);
    assert.deepEqual(await names(store, { until: at(1001) }), ['b.jpg', 'a.jpg']);
    assert.deepEqual(await names(store, { from: '2026-11-23T01:00:01+01:00', until: at(3000) }), [
      'c.jpg',
      'b.jpg',
    ]);
    assert.deepEqual(await names(store, { label: 'cat', from: at(1) }), ['e.jpg']);
    assert.deepEqual(await names(store, { state: 'succeeded', until: at(4000) }), ['b.jpg', 'a.jpg']);
    assert.equal(
      (await names(store, { from: '1950-01-01T00:00:00Z', until: '9999-01-01T00:00:00Z' })).length,
      6,
    );
  });

  withStore(open, 'filters by part of the name: any case, nothing in it is a pattern', async (store) => {
    for (const filename of ['50%_off.PNG', '50 off.png', 'STRASSE.jpg', 'Äpfel.jpg', "o'neill\\.gif"])
      await accepted(store, { filename });
    assert.deepEqual(await names(store, { text: 'OFF' }), ['50 off.png', '50%_off.PNG']);
    assert.deepEqual(await names(store, { text: '%' }), ['50%_off.PNG']);
    assert.deepEqual(await names(store, { text: '_' }), ['50%_off.PNG']);
    assert.deepEqual(await names(store, { text: 'ÄPF' }), ['Äpfel.jpg']);
    assert.deepEqual(await names(store, { text: 'a\u0308pf' }), ['Äpfel.jpg']);
    assert.deepEqual(await names(store, { text: "'NEILL\\" }), ["o'neill\\.gif"]);
    assert.deepEqual(await names(store, { text: 'nowhere' }), []);
    assert.equal((await names(store, { text: '' })).length, 5);
  });

  withStore(open, 'filters by hash, with every other filter', async (store) => {
    await sixImages(store);
    const sha256 = 'cd'.repeat(32);
    const jobs = [];
    for (const [n, letter] of [...'uvwxyz'].entries())
      jobs.push(
        await accepted(store, {
          id: idAt(n * 1000, 1),
          filename: `${letter}.${n % 2 ? 'png' : 'jpg'}`,
          sha256,
        }),
      );
    const [u, v, w] = jobs;
    assert.ok(u && v && w);
    await store.record([succeeded(u, 'cat'), succeeded(v, 'dog'), failed(w)]);
    assert.deepEqual(await names(store, { sha256 }), ['z.png', 'y.jpg', 'x.png', 'w.jpg', 'v.png', 'u.jpg']);
    assert.deepEqual(await names(store, { sha256: 'ef'.repeat(32) }), []);
    assert.deepEqual(await names(store, { sha256, label: 'cat' }), ['u.jpg']);
    assert.deepEqual(await names(store, { sha256, state: 'succeeded' }), ['v.png', 'u.jpg']);
    assert.deepEqual(await names(store, { sha256, state: 'succeeded', label: 'dog' }), ['v.png']);
    assert.deepEqual(await names(store, { sha256, state: 'dead' }), []);
    assert.deepEqual(await names(store, { sha256, text: 'PNG', state: 'queued' }), ['z.png', 'x.png']);
    assert.deepEqual(await names(store, { sha256, from: at(3000), until: at(5000) }), ['y.jpg', 'x.png']);
    const pages = { sizes: [2, 1], names: ['z.png', 'y.jpg', 'x.png'] };
    assert.deepEqual(await allPages(store, { limit: 2, sha256, state: 'queued' }), pages);
    assert.deepEqual((await allPages(store, { limit: 4, sha256 })).sizes, [4, 2]);
  });

  withStore(open, 'a filter within the images of one hash goes through many of them', async (store) => {
    const images = Array.from({ length: 12_000 }, (_, n) =>
      newImage({ id: idAt(0, n), filename: String(n) }),
    );
    await store.accept([{ images }], 0);
    await store.record([0, 5_500, 11_999].map((n) => failed({ id: idAt(0, n), generation: 1 })));
    const { sha256 } = newImage();
    const failures = { sizes: [2, 1], names: ['11999', '5500', '0'] };
    assert.deepEqual(await allPages(store, { limit: 2, sha256, state: 'failed' }), failures);
  });

  withStore(open, 'pages hold every image once, also those that came in between', async (store) => {
    await sixImages(store);
    assert.deepEqual(await allPages(store, { limit: 4 }), {
      sizes: [4, 2],
      names: ['f.jpg', 'e.jpg', 'd.jpg', 'c.jpg', 'b.jpg', 'a.jpg'],
    });
    assert.deepEqual((await allPages(store, { limit: 3 })).sizes, [3, 3], 'no empty page at the end');
    assert.deepEqual((await allPages(store, { limit: 1, label: 'cat' })).names, ['e.jpg', 'a.jpg']);
    assert.deepEqual((await allPages(store, { limit: 2, text: 'JPG', state: 'succeeded' })).sizes, [2, 1]);
    const { next } = await store.images({ limit: 2 });
    await accepted(store, { id: idAt(9000), filename: 'new' });
    await store.remove(idAt(4000));
    assert.deepEqual(await names(store, { cursor: next ?? '' }), ['d.jpg', 'c.jpg', 'b.jpg', 'a.jpg']);
    assert.deepEqual(await store.images({ limit: 2, label: 'none' }), { images: [], next: null });
  });

  withStore(open, 'a search goes through many images, page by page', async (store) => {
    const images = Array.from({ length: 12_000 }, (_, n) =>
      newImage({ id: idAt(0, n), filename: n % 1000 === 0 ? `needle ${n}` : 'hay' }),
    );
    await store.accept([{ images }], 0);
    const needles = Array.from({ length: 12 }, (_, n) => `needle ${(11 - n) * 1000}`);
    assert.deepEqual(await allPages(store, { limit: 5, text: 'NEEDLE' }), {
      sizes: [5, 5, 2],
      names: needles,
    });
    assert.deepEqual(await names(store, { text: 'needle', state: 'queued' }), needles);
    assert.deepEqual(await allPages(store, { limit: 12, text: 'needle' }), { sizes: [12], names: needles });
    assert.equal((await store.images({ limit: 10_500, text: 'hay' })).images.length, 10_500);
  });

  withStore(open, 'a wrong cursor is refused', async (store) => {
    await sixImages(store);
    const { next } = await store.images({ limit: 2 });
    for (const cursor of ['', 'x', '1', `${next}A`, next?.slice(1) ?? '', "' or 1=1", idAt(0), 'MQ'])
      await assert.rejects(store.images({ limit: 2, cursor }), { code: 'invalid-cursor' }, cursor);
    await assert.rejects(store.images({ limit: 2, from: 'yesterday' }), RangeError);
  });
};
