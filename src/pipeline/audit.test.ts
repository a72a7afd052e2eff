import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import { memoryBroker } from '../broker/memory.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { NewImage } from '../store/store.ts';
import { type AuditContext, audit, repair } from './audit.ts';
import { encode } from './message.ts';
import { partPrefix } from './part-key.ts';
import { reindex } from './reindex.ts';

const minute = 60_000;
const hour = 60 * minute;
const sequence = (() => {
  let n = 0;
  return () => String(++n).padStart(12, '0');
})();

/** An ID of that time (ms since 1970). */
const idAt = (ms: number): string => {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${sequence()}`;
};
const gif = Buffer.from('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==', 'base64');
async function* bytes(content = gif) {
  yield content;
}

/** Store, images and broker of an installation, with `images` accepted an hour and more ago. */
const installation = async (t: TestContext, images = 0) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-audit-'));
  const open = () => openSqliteStore(join(folder, 'gantry.db'));
  const store = await open();
  const blobs = filesystemBlobs(join(folder, 'images'));
  await blobs.prepare();
  const broker = memoryBroker();
  t.after(async () => {
    await store.close();
    await broker.close();
    await rm(folder, { recursive: true });
  });
  const put = async (id = idAt(Date.now() - 2 * hour)): Promise<NewImage> => {
    const blob = `2026/11/23/${id}.gif`;
    await blobs.put(blob, bytes());
    const facts = { filename: 'a.gif', contentType: 'image/gif', bytes: gif.length, sha256: 'ab' };
    return { id, blob, pipeline: 'pets', ...facts };
  };
  const accept = async (): Promise<NewImage> => {
    const image = await put();
    await store.accept([{ images: [image] }], 0);
    return image;
  };
  const ended = async (): Promise<NewImage> => {
    const image = await accept();
    const error = { code: 'undecodable', message: 'cut off' };
    const of = { version: 1 as const, id: image.id, generation: 1, attempt: 1 };
    await store.record([{ ...of, kind: 'failed', error, picture: null }]);
    return image;
  };
  for (let n = 0; n < images; n++) await ended();
  const context: AuditContext = { store, blobs, broker, overdueAfterMs: 0, onProgress: () => undefined };
  return { folder, store, blobs, broker, put, accept, ended, context };
};

test('a sound installation: everything is where it should be', async (t) => {
  const { store, broker, accept, context } = await installation(t, 3);
  const waiting = await accept();
  const published = await accept();
  await store.published([{ id: published.id, generation: 1 }]);
  const [job] = await store.claimOutbox(10, minute);
  await broker.publish('images', encode(job ?? assert.fail()));
  const found = await audit(context);
  assert.deepEqual(found, {
    accepted: 5,
    states: { queued: 2, processing: 0, succeeded: 0, failed: 3, dead: 0 },
    outbox: 1,
    queues: { ...found.queues, images: 1 },
    unaccounted: 0,
    surplusMessages: 0,
    missingOriginals: [],
    orphanedOriginals: [],
    orphanedParts: [],
    strayRows: 0,
    miscounted: 0,
    ok: true,
  });
  assert.equal(waiting.pipeline, 'pets');
});

test('an image that nobody has is found, and queued again by a repair', async (t) => {
  const { store, accept, context } = await installation(t);
  const lost = await accept();
  await store.published([{ id: lost.id, generation: 1 }]);
  while (Date.parse((await store.image(lost.id))?.updatedAt ?? '') === Date.now());
  const found = await audit(context);
  assert.equal(found.unaccounted, 1);
  assert.equal(found.ok, false);
  const mended = await repair(context, found);
  assert.deepEqual(mended, {
    requeued: 1,
    recounted: false,
    orphansRemoved: 0,
    partsRemoved: 0,
    originalsWrittenOff: 0,
    left: [],
  });
  assert.equal((await audit(context)).ok, true);
});

test('a message beyond what is unfinished is surplus and no loss', async (t) => {
  const { broker, context } = await installation(t, 1);
  await broker.publish('images', Buffer.from('{}'));
  const found = await audit(context);
  assert.deepEqual([found.surplusMessages, found.ok], [1, true]);
});

test('an original that is gone is a loss; a repair writes it off', async (t) => {
  const { store, blobs, ended, context } = await installation(t, 2);
  const image = await ended();
  await blobs.remove(image.blob);
  const found = await audit(context);
  assert.deepEqual(found.missingOriginals, [{ id: image.id, state: 'failed', blob: image.blob }]);
  assert.equal(found.ok, false);
  assert.equal((await repair(context, found)).originalsWrittenOff, 1);
  assert.equal(await store.blobOf(image.id), null);
  assert.equal((await audit(context)).ok, true);
});

test('an original without an image: removed once no upload can be under way; what is not ours is left alone', async (t) => {
  const { folder, blobs, put, context } = await installation(t, 1);
  const orphan = await put();
  const fresh = await put(idAt(Date.now()));
  await writeFile(join(folder, 'images', 'notes.txt'), 'mine');
  const found = await audit(context);
  assert.deepEqual(found.orphanedOriginals, [orphan.blob]);
  assert.equal(found.ok, true, 'it was never accepted, so nothing is lost');
  assert.equal((await repair(context, found)).orphansRemoved, 1);
  const left: string[] = [];
  for await (const key of blobs.list('')) left.push(key);
  assert.equal(left.includes(orphan.blob), false);
  assert.deepEqual(
    left.filter((key) => key === fresh.blob || key === 'notes.txt'),
    [fresh.blob, 'notes.txt'],
  );
});

test('a repair leaves alone what looks like a lost database or the wrong folder', async (t) => {
  const { store, blobs, put, ended, context } = await installation(t);
  for (let n = 0; n < 11; n++) await put();
  const orphans = await repair(context, await audit(context));
  assert.equal(orphans.orphansRemoved, 0);
  assert.match(orphans.left.join(), /gantry reindex/);

  const images = [];
  for (let n = 0; n < 11; n++) images.push(await ended());
  for (const { blob } of images) await blobs.remove(blob);
  const missing = await repair(context, await audit(context));
  assert.equal(missing.originalsWrittenOff, 0);
  assert.match(missing.left.join(), /right folder/);
  assert.equal(await store.blobOf(images[0]?.id ?? ''), images[0]?.blob);
});

test('parts of an unfinished upload, and the original that is being made of them, are no orphans', async (t) => {
  const { store, blobs, put, context } = await installation(t, 1);
  const old = Date.now() - 2 * hour;
  const ours = partPrefix(await store.installation());
  const begin = async (state: 'open' | 'gone'): Promise<string> => {
    const id = randomUUID();
    await store.createUpload({
      id,
      filename: 'a.gif',
      bytes: gif.length,
      expiresAt: new Date().toISOString(),
    });
    const blob = `${ours}${id}.${idAt(old)}`;
    await blobs.put(blob, bytes());
    await store.appendPart(id, 0, { blob, bytes: gif.length }, new Date().toISOString());
    if (state === 'gone') await store.endUpload(id, { state });
    return id;
  };
  const id = await begin('open');
  const original = await put();
  assert.equal(await store.claimUpload(id, original.id), original.id);
  const gone = (await store.upload(await begin('gone')))?.parts ?? [];
  const unknown = `${ours}${randomUUID()}.${idAt(old)}`;
  // Of a Gantry that did not name the installation yet.
  const lost = `uploads/${id}.${idAt(old)}`;
  const fresh = `${ours}${id}.${idAt(Date.now())}`;
  const others = `${partPrefix(randomUUID())}${randomUUID()}.${idAt(old)}`;
  for (const key of [unknown, lost, fresh, others]) await blobs.put(key, bytes());
  const found = await audit(context);
  assert.deepEqual(found.orphanedOriginals, []);
  assert.deepEqual(new Set(found.orphanedParts), new Set([...gone, unknown, lost]));
  assert.equal(found.ok, true);
  assert.equal((await repair(context, found)).partsRemoved, 3);
  const left: string[] = [];
  for await (const key of blobs.list('uploads/')) left.push(key);
  assert.deepEqual(new Set(left), new Set([...((await store.upload(id))?.parts ?? []), fresh, others]));

  const rebuilt = await reindex({ store, blobs, pipeline: 'pets', onProgress: () => undefined });
  assert.deepEqual([rebuilt.restored, rebuilt.skipped], [1, []]);
  await store.accept([{ images: [original], upload: id }], 0);
  assert.deepEqual((await audit(context)).orphanedOriginals, []);
});

test('reindex gives originals their images back, once', async (t) => {
  const { store, blobs, put, ended, context } = await installation(t);
  const known = await ended();
  const lost = await put();
  const noImage = `2026/11/23/${idAt(Date.now())}.jpg`;
  await blobs.put(noImage, bytes(Buffer.from('hello')));
  await blobs.put('readme', bytes());
  const seen: number[][] = [];
  const rebuild = () =>
    reindex({ store, blobs, pipeline: 'pets', onProgress: (...figures) => void seen.push(figures) });
  assert.deepEqual(await rebuild(), { restored: 1, known: 1, skipped: ['readme', noImage] });
  const image = await store.image(lost.id);
  assert.deepEqual(image && [image.state, image.contentType, image.bytes, image.filename], [
    'queued',
    'image/gif',
    gif.length,
    `${lost.id}.gif`,
  ]);
  assert.match(image?.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.equal((await store.image(known.id))?.state, 'failed');
  assert.deepEqual(
    (await store.claimOutbox(10, 0)).map(({ id }) => id),
    [lost.id],
  );
  assert.deepEqual(seen.at(-1), [3, 3]);
  assert.deepEqual(await rebuild(), { restored: 0, known: 2, skipped: ['readme', noImage] });
  assert.equal((await audit(context)).missingOriginals.length, 0);
});
