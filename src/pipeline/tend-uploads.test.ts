import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Blobs } from '../blobs/blobs.ts';
import { eventually } from '../broker/broker.probe.ts';
import type { Store } from '../store/store.ts';
import type { Finish } from './finish.ts';
import { emptyInstallation } from './installation.testing.ts';
import { partKey } from './part-key.ts';
import { startTendingUploads } from './tend-uploads.ts';
import { cat, day, log, serverOn, uploading } from './uploads.testing.ts';

test('complete uploads are finished, expired ones removed, old ones forgotten', async (t) => {
  const { store, blobs, begun, add, complete, keys, images } = await uploading(t);
  const done = await complete();
  const late = await begun(100, new Date(Date.now() - 1000));
  const fresh = await begun(100);
  await add(fresh, cat.subarray(0, 10));
  const expired = await begun(100);
  const part = { blob: `uploads/${expired}.x`, bytes: 10 };
  await blobs.put(part.blob, Readable.from([cat.subarray(0, 10)]));
  await store.appendPart(expired, 0, part, new Date(Date.now() - 1000).toISOString());
  const tend = async (finish: Finish, rememberMs: number) => {
    while (Date.parse((await store.upload(done))?.expiresAt ?? '') - day >= Date.now());
    const repeated = startTendingUploads({
      ...{ store, blobs, finish, log, intervalMs: day, idleMs: 0, rememberMs },
    });
    repeated.wake();
    await repeated.stop();
  };
  const away = async () => {
    throw new Error('away');
  };
  await tend(away, day);
  assert.equal((await images()).length, 0);
  await tend(serverOn(store, blobs).finish, day);
  assert.equal((await images()).length, 1);
  assert.equal((await keys()).length, 2, 'the original and the fresh part');
  for (const id of [late, expired]) assert.equal((await store.upload(id))?.state, 'gone');
  await tend(serverOn(store, blobs).finish, 0);
  for (const id of [late, expired]) assert.equal(await store.upload(id), undefined);
  assert.equal((await store.upload(fresh))?.received, 10);
  assert.equal((await store.upload(done))?.state, 'finished');
});

test('however many have ended, all are forgotten in one go', async (t) => {
  const { store, blobs, begun } = await uploading(t);
  const ids: string[] = [];
  for (let n = 0; n < 250; n++) ids.push(await begun(10, new Date(Date.now() - day)));
  for (const id of ids) await store.endUpload(id, { state: 'gone' });
  const { finish } = serverOn(store, blobs);
  const tending = startTendingUploads({
    ...{ store, blobs, finish, log, intervalMs: day, idleMs: day, rememberMs: 0 },
  });
  tending.wake();
  const known = async () => (await Promise.all(ids.map((id) => store.upload(id)))).filter(Boolean).length;
  await eventually('none is known', async () => (await known()) === 0);
  await tending.stop();
});

/** The key of a part that was begun so long ago (ms). */
const partBegun = (installation: string, upload: string, ago: number): string => {
  const time = (Date.now() - ago).toString(16).padStart(12, '0');
  const [before = '', part = ''] = partKey(installation, upload).split('.');
  const [, , ...rest] = part.split('-');
  return `${before}.${time.slice(0, 8)}-${time.slice(8)}-${rest.join('-')}`;
};

test('a part whose row never came is removed after a day, whatever became of its upload', async (t) => {
  const { store, blobs, name, begun, add, keys } = await uploading(t);
  const open = await begun(100);
  await add(open, cat.subarray(0, 10));
  const [known = ''] = await keys();
  const part = (upload: string, ago: number): string => partBegun(name, upload, ago);
  const old = part(open, 2 * day);
  await store.appendPart(open, 10, { blob: old, bytes: 10 }, new Date(Date.now() + day).toISOString());
  const young = part(randomUUID(), day / 2);
  const stray = [part(open, 2 * day), part(randomUUID(), 2 * day)];
  const original = '2020/01/01/00000000-0000-7000-8000-000000000000.png';
  for (const key of [old, young, original, ...stray]) await blobs.put(key, Readable.from([cat]));
  const tended = async (rememberMs: number): Promise<void> => {
    const { finish } = serverOn(store, blobs);
    const tending = startTendingUploads({
      ...{ store, blobs, finish, log, intervalMs: day, idleMs: day, rememberMs },
    });
    tending.wake();
    await tending.stop();
  };
  await tended(3 * day);
  assert.equal((await keys()).length, 6, 'as long as uploads are kept');
  await tended(0);
  assert.deepEqual((await keys()).sort(), [known, old, young, original].sort());
});

/** Tends once, with uploads forgotten at once. */
const tendOnce = async (store: Store, blobs: Blobs): Promise<void> => {
  const { finish } = serverOn(store, blobs);
  const often = { intervalMs: day, idleMs: 0, rememberMs: 0 };
  const tending = startTendingUploads({ store, blobs, finish, log, ...often });
  tending.wake();
  await tending.stop();
};

test('two installations in one storage leave the parts of each other alone', async (t) => {
  const one = await uploading(t);
  const other = await emptyInstallation(t);
  const open = await one.begun(100);
  const lost = [one.name, await other.store.installation()].map((name) => partBegun(name, open, 2 * day));
  for (const key of lost) await one.blobs.put(key, Readable.from([cat]));
  const living = partBegun(one.name, open, 2 * day);
  await one.blobs.put(living, Readable.from([cat]));
  await one.store.appendPart(open, 0, { blob: living, bytes: 10 }, new Date(Date.now() + day).toISOString());
  await tendOnce(other.store, one.blobs);
  assert.deepEqual((await one.keys()).sort(), [lost[0], living].sort(), 'only what it has lost itself');
  await tendOnce(one.store, one.blobs);
  assert.deepEqual(await one.keys(), [living]);
});

test('parts of before they named their installation: finished or removed by their rows, and never guessed at', async (t) => {
  const { store, blobs, begun, keys, images } = await uploading(t);
  const before = async (upload: string, expiresAt: Date): Promise<void> => {
    const blob = `uploads/${upload}.${partBegun('x', upload, 2 * day).split('.')[1]}`;
    await blobs.put(blob, Readable.from([cat]));
    await store.appendPart(upload, 0, { blob, bytes: cat.length }, expiresAt.toISOString());
  };
  const complete = await begun(cat.length);
  await before(complete, new Date(Date.now() + day));
  await before(await begun(cat.length + 1), new Date(Date.now() - 1000));
  const unknown = `uploads/${randomUUID()}.${partBegun('x', 'y', 2 * day).split('.')[1]}`;
  await blobs.put(unknown, Readable.from([cat]));
  while (Date.parse((await store.upload(complete))?.expiresAt ?? '') - day >= Date.now());
  await tendOnce(store, blobs);
  const [image = assert.fail()] = await images();
  assert.deepEqual((await keys()).sort(), [await store.blobOf(image.id), unknown].sort());
});
