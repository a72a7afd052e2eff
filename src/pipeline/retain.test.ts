import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { BlobMissing, type Blobs } from '../blobs/blobs.ts';
import type { NewImage } from '../store/store.ts';
import { emptyInstallation } from './installation.testing.ts';
import { startRetention } from './retain.ts';

const hour = 3_600_000;
async function* bytes() {
  yield Buffer.from('picture');
}

const installation = async (t: TestContext) => {
  const { store, blobs } = await emptyInstallation(t);
  const accept = async (uploadedMsAgo: number): Promise<NewImage> => {
    const id = uuidv7({ msecs: Date.now() - uploadedMsAgo });
    const blob = `2026/11/23/${id}.jpg`;
    await blobs.put(blob, bytes());
    const facts = { filename: 'a.jpg', contentType: 'image/jpeg', bytes: 7, sha256: 'ab', pipeline: 'pets' };
    const image = { id, blob, ...facts };
    await store.accept([{ images: [image] }], 0);
    return image;
  };
  const ended = async (uploadedMsAgo: number): Promise<NewImage> => {
    const image = await accept(uploadedMsAgo);
    const error = { code: 'undecodable', message: 'cut off' };
    const of = { version: 1 as const, id: image.id, generation: 1, attempt: 1 };
    await store.record([{ ...of, kind: 'failed', error, picture: null }]);
    return image;
  };
  /** Runs until there is nothing more to remove. Resolves with how often listeners were told of a change. */
  const retain = async (keep: { originals?: number; results?: number }, of: Blobs = blobs) => {
    let changes = 0;
    const retention = startRetention({
      store,
      blobs: of,
      log: pino({ level: 'silent' }),
      intervalMs: hour,
      keepOriginalsMs: keep.originals,
      keepResultsMs: keep.results,
      changed: () => void changes++,
    });
    retention?.wake();
    await retention?.stop();
    return { running: retention !== undefined, changes };
  };
  const hasOriginal = ({ blob }: NewImage): Promise<boolean> =>
    blobs.read(blob).then(
      () => true,
      (error: unknown) => {
        if (error instanceof BlobMissing) return false;
        throw error;
      },
    );
  return { store, blobs, accept, ended, retain, hasOriginal };
};

test('originals whose time is over are removed; the image stays, and cannot be processed again', async (t) => {
  const { store, accept, ended, retain, hasOriginal } = await installation(t);
  const [old, young, waiting] = [await ended(2 * hour), await ended(0), await accept(2 * hour)];
  await retain({ originals: hour });
  assert.deepEqual(await Promise.all([old, young, waiting].map(hasOriginal)), [false, true, true]);
  assert.equal((await store.image(old.id))?.state, 'failed');
  assert.equal(await store.blobOf(old.id), null);
  assert.equal(await store.reprocess(old.id, 0), 'no-original');
});

test('images whose time is over are removed with everything; those in flight are not', async (t) => {
  const { store, accept, ended, retain, hasOriginal } = await installation(t);
  const [old, young, waiting] = [await ended(2 * hour), await ended(0), await accept(2 * hour)];
  const { changes } = await retain({ results: hour, originals: hour });
  assert.equal(changes, 1);
  assert.equal(await store.image(old.id), undefined);
  assert.deepEqual(await Promise.all([old, young, waiting].map(hasOriginal)), [false, true, true]);
  assert.equal((await store.events(0, 100)).at(-1)?.type, 'deleted');
});

test('an image whose original cannot be removed stays until it can', async (t) => {
  const { store, blobs, ended, retain } = await installation(t);
  const old = await ended(2 * hour);
  const away: Blobs = { ...blobs, remove: () => Promise.reject(new Error('away')) };
  await retain({ results: hour }, away);
  assert.notEqual(await store.image(old.id), undefined);
  await retain({ results: hour });
  assert.equal(await store.image(old.id), undefined);
});

test('switched off it does not even run', async (t) => {
  const { retain } = await installation(t);
  assert.deepEqual(await retain({}), { running: false, changes: 0 });
});
