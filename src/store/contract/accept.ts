import assert from 'node:assert/strict';
import type { Outcome } from '../../pipeline/message.ts';
import {
  accepted,
  failed,
  future,
  keyed,
  minute,
  newImage,
  nothingOutstanding,
  type Open,
  withStore,
} from './samples.ts';

/** No number is a size that a database would take. */
const unstorable = { bytes: Number.NaN };

export const acceptCases = (open: Open): void => {
  withStore(open, 'an accepted image is queued and can be read', async (store) => {
    const image = newImage({ id: '019b0000-1234-7abc-8def-0123456789ab', filename: 'Ä \u202e"cat\'.JPG' });
    assert.deepEqual(await store.accept([{ images: [image] }], minute), [{ kind: 'accepted' }]);
    const stored = await store.image(image.id);
    const { blob, ...given } = image;
    assert.deepEqual(stored, {
      ...given,
      state: 'queued',
      width: null,
      height: null,
      generation: 1,
      attempts: 0,
      createdAt: new Date(0x019b00001234).toISOString(),
      updatedAt: stored?.updatedAt,
      result: null,
      error: null,
    });
    assert.ok(Math.abs(Date.parse(stored?.updatedAt ?? '') - Date.now()) < minute);
    assert.equal(await store.blobOf(image.id), blob);
    assert.equal(await store.thumbnail(image.id), undefined);
    const [event, ...more] = await store.events(0, 10);
    assert.deepEqual([event?.type, event?.imageId, event?.image], ['queued', image.id, stored]);
    assert.deepEqual(more, []);
  });

  withStore(open, 'what is not there is undefined', async (store) => {
    const { id } = newImage();
    assert.equal(await store.image(id), undefined);
    assert.equal(await store.image("no ID '"), undefined);
    assert.equal(await store.blobOf(id), undefined);
    assert.equal(await store.thumbnail(id), undefined);
    assert.deepEqual(await store.outstanding(), nothingOutstanding);
  });

  withStore(open, 'uploads of none, one and several images in one call', async (store) => {
    const uploads = [0, 1, 3].map((count) => ({ images: Array.from({ length: count }, () => newImage()) }));
    assert.deepEqual(
      (await store.accept(uploads, 0)).map(({ kind }) => kind),
      ['accepted', 'accepted', 'accepted'],
    );
    const ids = uploads.flatMap(({ images }) => images.map(({ id }) => id));
    assert.deepEqual(
      (await store.events(0, 10)).map(({ imageId }) => imageId),
      ids,
    );
    assert.equal((await store.outstanding()).images, 4);
    assert.deepEqual(await store.accept([], 0), []);
  });

  withStore(open, 'more images in one call than a statement has room for', async (store) => {
    const images = Array.from({ length: 4000 }, () => newImage());
    const uploads = images.map((image) => ({ images: [image] }));
    assert.equal((await store.accept(uploads, 0)).length, 4000);
    const { outbox, images: unfinished } = await store.outstanding();
    assert.deepEqual([outbox, unfinished], [4000, 4000]);
    assert.equal(await store.lastEvent(), (await store.events(0, 5000)).at(-1)?.seq);
  });

  withStore(open, 'a repeated upload gets the first answer and stores nothing', async (store) => {
    assert.deepEqual(await store.accept([keyed('k', 'a', 'first')], 0), [{ kind: 'accepted' }]);
    assert.deepEqual(await store.accept([keyed('k', 'a', 'second'), keyed('k', 'b'), keyed('l', 'b')], 0), [
      { kind: 'repeated', response: 'first' },
      { kind: 'conflict' },
      { kind: 'accepted' },
    ]);
    assert.equal((await store.images({ limit: 10 })).images.length, 2);
    const { images, outbox } = await store.outstanding();
    assert.deepEqual([images, outbox, (await store.events(0, 10)).length], [2, 2, 2]);
  });

  withStore(open, 'the same key twice in one call: the first counts', async (store) => {
    const batch = [keyed('k', 'a', 'first'), keyed('k', 'a', 'second'), keyed('k', 'b')];
    assert.deepEqual(await store.accept([{ images: [newImage()] }, ...batch], 0), [
      { kind: 'accepted' },
      { kind: 'accepted' },
      { kind: 'repeated', response: 'first' },
      { kind: 'conflict' },
    ]);
    assert.deepEqual(await store.accept([keyed('k', 'a'), keyed('k', 'b')], 0), [
      { kind: 'repeated', response: 'first' },
      { kind: 'conflict' },
    ]);
    const stored = (await store.images({ limit: 10 })).images.map(({ id }) => id);
    assert.equal(stored.length, 2);
    assert.ok(stored.includes(batch[0]?.images[0]?.id ?? ''));
  });

  withStore(
    open,
    'a call repeated after a commit of unknown outcome: accepted again, stored once',
    async (store) => {
      const [plain, ended, gone] = [
        { images: [newImage()] },
        { images: [newImage()] },
        { images: [newImage()] },
      ];
      const withKey = keyed('k', 'a', 'our answer');
      const uploads = [plain, withKey, ended, gone];
      const all = Array(4).fill({ kind: 'accepted' });
      assert.deepEqual(await store.accept(uploads, 0), all);
      const keys = uploads.flatMap(({ images }) => images.map(({ id }) => ({ id, generation: 1 })));
      const [, , two, three] = keys;
      assert.ok(two && three);
      await store.published([two, three]);
      await store.record([failed(two)]);
      const before = [await store.images({ limit: 10 }), await store.outstanding(), await store.lastEvent()];
      for (const upload of uploads) assert.deepEqual(await store.accept([upload], 0), [{ kind: 'accepted' }]);
      assert.deepEqual(await store.accept(uploads, 0), all);
      assert.deepEqual(
        [await store.images({ limit: 10 }), await store.outstanding(), await store.lastEvent()],
        before,
      );
      const other = { images: [newImage(), ...plain.images] };
      assert.deepEqual(await store.accept([other, keyed('k', 'a', 'of another')], 0), [
        { kind: 'accepted' },
        { kind: 'repeated', response: 'our answer' },
      ]);
      assert.equal((await store.images({ limit: 10 })).images.length, 5, 'what was missing is stored');
    },
  );

  withStore(open, 'a name with a NUL in it hinders nobody', async (store) => {
    const { id } = await accepted(store, { filename: 'a\0b.jpg' });
    const job = { id, generation: 1 };
    const error = { code: 'undecodable', message: 'bad marker \0' };
    assert.deepEqual(await store.record([{ ...failed(job), error } as Outcome]), ['recorded']);
    assert.equal((await store.image(id))?.state, 'failed');
    assert.ok((await store.images({ limit: 10, text: '\0' })).images.length <= 1);
    assert.deepEqual((await store.images({ limit: 10, label: '\0' })).images, []);
    assert.equal(await store.image('\0'), undefined);
  });

  withStore(open, 'the same key in calls at once: one is accepted', async (store) => {
    const calls = Array.from({ length: 8 }, (_, n) => store.accept([keyed('k', 'a', `answer ${n}`)], 0));
    const answers = (await Promise.all(calls)).flat();
    const first = `answer ${answers.findIndex(({ kind }) => kind === 'accepted')}`;
    assert.equal(answers.filter(({ kind }) => kind === 'accepted').length, 1);
    const repeated = answers.filter((answer) => answer.kind === 'repeated');
    assert.deepEqual(
      repeated.map(({ response }) => response),
      Array(7).fill(first),
    );
    assert.equal((await store.outstanding()).images, 1);
  });

  withStore(open, 'a call that fails leaves nothing behind, and the next one works', async (store) => {
    await accepted(store);
    const before = await store.lastEvent();
    const halfBad = [keyed('k', 'a'), { images: [newImage(), newImage(unstorable)] }];
    await assert.rejects(store.accept(halfBad, 0), { code: 'failed' });
    assert.equal((await store.images({ limit: 10 })).images.length, 1);
    assert.equal((await store.events(before, 10)).length, 0);
    assert.deepEqual(await store.accept([keyed('k', 'a')], 0), [{ kind: 'accepted' }]);
  });

  withStore(open, 'calls at once keep apart: one that fails takes nobody along', async (store) => {
    await accepted(store);
    const upload = () => ({ images: [newImage(), newImage()] });
    const outcomes = Array.from({ length: 12 }, async (_, n) => {
      const bad = n % 3 === 0;
      const uploads = bad ? [upload(), { images: [newImage(unstorable)] }] : [upload()];
      const accept = store.accept(uploads, 0).then(
        () => !bad,
        () => bad,
      );
      const { images, outbox } = await store.outstanding();
      assert.equal(images, outbox, 'half a transaction was seen');
      return accept;
    });
    assert.ok((await Promise.all(outcomes)).every(Boolean));
    assert.equal((await store.images({ limit: 100 })).images.length, 1 + 8 * 2);
  });

  withStore(open, 'old keys and events expire, at most as many as asked', async (store) => {
    for (const key of ['a', 'b', 'c']) await store.accept([keyed(key, key)], 0);
    assert.equal(await store.expire('2020-01-01T00:00:00Z', 10), false);
    assert.equal((await store.events(0, 10)).length, 3);
    assert.equal(await store.expire(future(), 2), true, 'there are more');
    assert.equal((await store.events(0, 10)).length, 1);
    const kinds = (
      await store.accept(
        ['a', 'b', 'c'].map((key) => keyed(key, 'new')),
        0,
      )
    ).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === 'accepted').length, 2);
    const newest = await store.lastEvent();
    assert.equal(await store.expire(future(), 10), false);
    assert.deepEqual([await store.lastEvent(), (await store.images({ limit: 10 })).images.length], [0, 5]);
    await accepted(store);
    assert.ok((await store.lastEvent()) > newest, 'numbers are never used again');
  });
};
