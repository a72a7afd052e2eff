import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Store } from '../store.ts';
import type { NewUpload } from '../uploads.ts';
import { accepted, at, future, newImage, type Open, tick, withStore } from './samples.ts';

const newUpload = (given: Partial<NewUpload> = {}): NewUpload => ({
  id: randomUUID(),
  filename: 'Ä "cat\'.JPG',
  bytes: 5_000_000_000,
  expiresAt: at(0),
  ...given,
});
const half = 2_500_000_000;

/** An upload of which so many halves have come. */
const begun = async (store: Store, halves: 0 | 1 | 2, given: Partial<NewUpload> = {}): Promise<string> => {
  const upload = newUpload(given);
  await store.createUpload(upload);
  for (let n = 0; n < halves; n++) {
    const part = { blob: `uploads/${upload.id}.${n}`, bytes: half };
    assert.equal(await store.appendPart(upload.id, n * half, part, upload.expiresAt), true);
  }
  return upload.id;
};
const finish = async (store: Store, id: string): Promise<string> => {
  const imageId = await store.claimUpload(id, newImage().id);
  const image = newImage({ id: imageId ?? assert.fail('not complete') });
  assert.deepEqual(await store.accept([{ images: [image], upload: id }], 0), [{ kind: 'accepted' }]);
  return image.id;
};

export const uploadCases = (open: Open): void => {
  withStore(open, 'an upload grows part by part, and is told as it stands', async (store) => {
    const upload = newUpload();
    await store.createUpload(upload);
    const blank = { ...upload, state: 'open', received: 0, parts: [], imageId: null, refusal: null };
    assert.deepEqual(await store.upload(upload.id), blank);
    const parts = [0, 1].map((n) => ({ blob: `uploads/${n}`, bytes: half }));
    for (const [n, part] of parts.entries())
      assert.equal(await store.appendPart(upload.id, n * half, part, at(n + 1)), true);
    assert.deepEqual(await store.upload(upload.id), {
      ...blank,
      ...{ received: 2 * half, parts: ['uploads/0', 'uploads/1'], expiresAt: at(2) },
    });
    assert.equal(await store.upload(randomUUID()), undefined);
    assert.equal(await store.upload("no ID '"), undefined);
  });

  withStore(open, 'a part fits where the upload stands, or is not noted', async (store) => {
    const id = await begun(store, 1);
    const part = (bytes: number) => ({ blob: 'uploads/x', bytes });
    for (const [offset, bytes] of [
      [0, 1],
      [half - 1, 1],
      [half + 1, 1],
      [half, half + 1],
    ] as const)
      assert.equal(await store.appendPart(id, offset, part(bytes), at(1)), false, `${offset} ${bytes}`);
    assert.equal(await store.appendPart(randomUUID(), 0, part(1), at(1)), false);
    const stored = await store.upload(id);
    assert.deepEqual([stored?.received, stored?.parts.length, stored?.expiresAt], [half, 1, at(0)]);
  });

  withStore(open, 'of parts at once for the same place one is noted', async (store) => {
    const id = await begun(store, 0);
    const parts = Array.from({ length: 8 }, (_, n) => ({ blob: `uploads/${n}`, bytes: n + 1 }));
    const noted = await Promise.all(parts.map((part) => store.appendPart(id, 0, part, at(1))));
    assert.equal(noted.filter(Boolean).length, 1);
    const won = parts[noted.indexOf(true)];
    const stored = await store.upload(id);
    assert.deepEqual([stored?.received, stored?.parts], [won?.bytes, [won?.blob]]);
  });

  withStore(open, 'a complete upload keeps the image ID it was given first', async (store) => {
    const early = await begun(store, 1);
    assert.equal(await store.claimUpload(early, newImage().id), undefined);
    assert.equal((await store.upload(early))?.imageId, null);
    assert.equal(await store.claimUpload(randomUUID(), newImage().id), undefined);
    const id = await begun(store, 2);
    const claims = Array.from({ length: 8 }, () => store.claimUpload(id, newImage().id));
    const ids = new Set(await Promise.all(claims));
    assert.equal(ids.size, 1);
    assert.deepEqual([...ids], [(await store.upload(id))?.imageId]);
    assert.equal((await store.upload(id))?.state, 'open');
  });

  withStore(open, 'an upload is finished with its image, once, however often it is tried', async (store) => {
    const id = await begun(store, 2);
    const imageId = (await store.claimUpload(id, newImage().id)) ?? '';
    const submission = { images: [newImage({ id: imageId })], upload: id };
    const calls = Array.from({ length: 6 }, () => store.accept([submission, submission], 0));
    const kinds = (await Promise.all(calls)).flat().map(({ kind }) => kind);
    assert.deepEqual(kinds.sort(), ['accepted', ...Array(11).fill('ended')]);
    assert.equal((await store.upload(id))?.state, 'finished');
    assert.equal((await store.outstanding()).images, 1);

    await store.remove(imageId);
    assert.deepEqual(await store.accept([submission], 0), [{ kind: 'ended' }]);
    assert.equal(await store.image(imageId), undefined, 'a deleted image does not come back');
    assert.equal(await store.claimUpload(id, newImage().id), undefined);
    assert.equal((await store.upload(id))?.imageId, imageId);
  });

  withStore(open, 'a failing call finishes no upload', async (store) => {
    const id = await begun(store, 2);
    const image = newImage({ id: (await store.claimUpload(id, newImage().id)) ?? '' });
    const bad = { images: [newImage({ bytes: Number.NaN })] };
    await assert.rejects(store.accept([{ images: [image], upload: id }, bad], 0), { code: 'failed' });
    assert.equal((await store.upload(id))?.state, 'open');
    assert.deepEqual(await store.accept([{ images: [image], upload: id }], 0), [{ kind: 'accepted' }]);
  });

  withStore(open, 'what has ended without an image takes no more', async (store) => {
    const refusal = { code: 'unsupported-type', detail: 'it is a "film" \u202e' };
    for (const end of [{ state: 'gone' }, { state: 'refused', ...refusal }] as const) {
      const id = await begun(store, 2);
      const imageId = (await store.claimUpload(id, newImage().id)) ?? '';
      assert.equal(await store.endUpload(id, end), true);
      assert.equal(await store.endUpload(id, { state: 'gone' }), false);
      const stored = await store.upload(id);
      assert.deepEqual(
        [stored?.state, stored?.refusal],
        [end.state, end.state === 'refused' ? refusal : null],
      );
      assert.equal(await store.claimUpload(id, newImage().id), undefined);
      assert.equal(await store.appendPart(id, 2 * half, { blob: 'b', bytes: 0 }, at(1)), false);
      const submission = { images: [newImage({ id: imageId })], upload: id };
      assert.deepEqual(await store.accept([submission], 0), [{ kind: 'ended' }]);
    }
    const finished = await begun(store, 2);
    await finish(store, finished);
    assert.equal(await store.endUpload(finished, { state: 'gone' }), false);
    assert.equal((await store.images({ limit: 10 })).images.length, 1);
  });

  withStore(open, 'uploads expire that lack bytes; complete ones wait to be finished', async (store) => {
    const ids = [];
    for (const halves of [0, 1, 2] as const) ids.push(await begun(store, halves, { expiresAt: at(halves) }));
    const [none = '', one = '', complete = ''] = ids;
    assert.equal(await store.openUploads(), 3);
    const later = await begun(store, 1, { expiresAt: at(100) });
    assert.equal(await store.expireUploads(at(0), 10), 0, 'before is exclusive');
    assert.equal(await store.expireUploads(at(50), 1), 1);
    assert.equal((await store.upload(none))?.state, 'gone');
    assert.equal(await store.expireUploads(at(50), 10), 1);
    assert.equal((await store.upload(one))?.state, 'gone');
    assert.equal(await store.openUploads(), 2);
    for (const id of [complete, later]) assert.equal((await store.upload(id))?.state, 'open');
    await tick();
    assert.deepEqual(await store.completeUploads(at(0), 10), [], 'it had news since');
    assert.deepEqual(await store.completeUploads(future(), 10), [complete]);
    assert.deepEqual(await store.completeUploads(future(), 0), []);
    await finish(store, complete);
    assert.equal(await store.openUploads(), 1);
    assert.deepEqual(await store.completeUploads(future(), 10), []);
  });

  withStore(open, 'what has ended is cleared up and then forgotten', async (store) => {
    const alive = await begun(store, 2);
    const gone = await begun(store, 1);
    const finished = await begun(store, 2);
    const empty = await begun(store, 0);
    await store.endUpload(gone, { state: 'gone' });
    await store.endUpload(empty, { state: 'gone' });
    await finish(store, finished);
    assert.deepEqual(await store.endedUploads(10), [gone, finished].sort());
    assert.deepEqual(await store.endedUploads(1), [gone, finished].sort().slice(0, 1));
    assert.equal(await store.forgetUploads(at(1), 10), 1);
    assert.equal(await store.upload(empty), undefined);
    for (const id of [alive, gone, finished]) assert.notEqual(await store.upload(id), undefined);

    for (const id of [gone, finished]) await store.partsRemoved(id);
    assert.deepEqual(await store.endedUploads(10), []);
    assert.deepEqual((await store.upload(finished))?.parts, []);
    assert.equal(await store.forgetUploads(at(0), 10), 0);
    assert.notEqual(await store.upload(gone), undefined, 'before is exclusive');
    await store.forgetUploads(at(1), 1);
    await store.forgetUploads(at(1), 1);
    for (const id of [gone, finished]) assert.equal(await store.upload(id), undefined);
    assert.equal((await store.upload(alive))?.parts.length, 2);
  });

  withStore(open, 'an installation has one name, and another one another', async (store) => {
    const name = await store.installation();
    assert.match(name, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(await store.installation(), name);
    const other = await open();
    assert.notEqual(await other.installation(), name);
    await other.close();
  });

  withStore(open, 'which images are being made', async (store) => {
    const ids = [newImage().id, newImage().id, newImage().id];
    const [making = '', finished = '', refused = ''] = ids;
    for (const imageId of ids) {
      const id = await begun(store, 2);
      assert.equal(await store.claimUpload(id, imageId), imageId);
      if (imageId === finished) await finish(store, id);
      if (imageId === refused) await store.endUpload(id, { state: 'refused', code: 'c', detail: 'd' });
    }
    assert.deepEqual(await store.claimedImages([...ids, newImage().id]), new Set([making]));
    assert.deepEqual(await store.claimedImages([]), new Set());
  });

  withStore(open, 'which parts are of open uploads', async (store) => {
    const alive = await begun(store, 2);
    const gone = await begun(store, 2);
    await store.endUpload(gone, { state: 'gone' });
    const keys = [alive, gone].flatMap((id) => [`uploads/${id}.0`, `uploads/${id}.1`]);
    const found = await store.livingParts([...keys, 'uploads/unknown']);
    assert.deepEqual(found, new Set([`uploads/${alive}.0`, `uploads/${alive}.1`]));
    assert.deepEqual(await store.livingParts([]), new Set());
  });

  withStore(open, 'what unfinished uploads have brought counts as stored', async (store) => {
    await accepted(store, { bytes: 7 });
    const id = await begun(store, 1);
    assert.equal(await store.storedBytes(), 7 + half);
    await store.endUpload(id, { state: 'gone' });
    assert.equal(await store.storedBytes(), 7);
  });
};
