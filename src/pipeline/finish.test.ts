import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { keysOf } from '../blobs/blobs.contract.ts';
import type { Blobs } from '../blobs/blobs.ts';
import { eventually } from '../broker/broker.probe.ts';
import type { Store } from '../store/store.ts';
import { append } from './append.ts';
import { createFinish, type Finish } from './finish.ts';
import { emptyInstallation } from './installation.testing.ts';
import { partKey } from './part-key.ts';
import { createSubmit } from './submit.ts';
import { startTendingUploads } from './tend-uploads.ts';

const cat = await readFile(new URL('../../test/fixtures/cats/chelsea.png', import.meta.url));
const log = pino({ level: 'silent' });
const day = 86_400_000;

/** A server's life on these parts; `accepted` and `refused` are what it has told of. */
const serverOn = (store: Store, blobs: Blobs) => {
  const told = { accepted: [] as string[], refused: [] as string[] };
  const submit = createSubmit(
    store,
    async () => true,
    () => undefined,
  );
  const finish = createFinish({
    ...{ store, blobs, submit, log, maxFileBytes: 1e6, pipeline: 'pets' },
    onAccepted: ({ id }) => told.accepted.push(id),
    onRefused: (code) => told.refused.push(code),
  });
  return { finish, told };
};

const installation = async (t: TestContext) => {
  const { store, blobs } = await emptyInstallation(t);
  const begun = async (bytes: number, expiresAt = new Date(Date.now() + day)): Promise<string> => {
    const id = randomUUID();
    await store.createUpload({ id, filename: 'a.png', bytes, expiresAt: expiresAt.toISOString() });
    return id;
  };
  const add = async (id: string, ...chunks: Uint8Array[]) => {
    const upload = (await store.upload(id)) ?? assert.fail('no upload');
    const context = { store, blobs, keepMs: day, onPart: () => undefined };
    const source = async function* () {
      yield* chunks;
    };
    return append(context, upload, source());
  };
  /** An upload with all its bytes, in two parts. */
  const complete = async (bytes: Uint8Array = cat): Promise<string> => {
    const id = await begun(bytes.length);
    await add(id, bytes.subarray(0, 9));
    assert.deepEqual(await add(id, bytes.subarray(9)), { kind: 'appended', received: bytes.length });
    return id;
  };
  const keys = () => keysOf(blobs);
  const images = async () => (await store.images({ limit: 100 })).images;
  return { store, blobs, begun, add, complete, keys, images };
};

class Killed extends Error {}

/** Calls into `port` until the process is killed, before or after the call that is `at`, and none behind it. */
const killedAt = (at: number, when: 'before' | 'after') => {
  const life = { calls: 0, dead: false };
  const wrap = <T extends object>(port: T): T =>
    new Proxy(port, {
      get:
        (target, name) =>
        async (...args: unknown[]) => {
          if (life.dead) throw new Killed();
          const last = life.calls++ === at;
          life.dead ||= last && when === 'before';
          if (life.dead) throw new Killed();
          const call = Reflect.get(target, name) as (...given: unknown[]) => Promise<unknown>;
          const answer = await call(...args);
          life.dead ||= last;
          if (!life.dead) return answer;
          // As the end of a process would close it.
          (answer as { stream?: Readable } | undefined)?.stream?.destroy();
          throw new Killed();
        },
    });
  return { life, wrap };
};

for (const when of ['before', 'after'] as const)
  test(`a server killed ${when} any step of finishing: the next one makes one image`, async (t) => {
    const { store, blobs, complete, keys, images } = await installation(t);
    for (let at = 0; ; at++) {
      const id = await complete();
      const { life, wrap } = killedAt(at, when);
      const first = serverOn(wrap(store), wrap(blobs));
      await first.finish(id).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      const { finish } = serverOn(store, blobs);
      const end = await finish(id);
      assert.equal(end?.kind, 'finished', `killed at ${at}`);
      const [image, ...more] = await images();
      assert.deepEqual(more, [], `killed at ${at}`);
      assert.ok(image && end.imageId === image.id);
      assert.equal(image.sha256, createHash('sha256').update(cat).digest('hex'));
      for (const upload of await store.endedUploads(10)) assert.equal(upload, id);
      const tending = startTendingUploads({
        ...{ store, blobs, finish, log, intervalMs: day, idleMs: 0, rememberMs: 0 },
      });
      tending.wake();
      await tending.stop();
      assert.deepEqual(await keys(), [await store.blobOf(image.id)], `killed at ${at}`);
      await store.remove(image.id);
      for (const key of await keys()) await blobs.remove(key);
      if (!life.dead) {
        assert.ok(at > 8, 'every step was one to be killed at');
        break;
      }
    }
  });

test('two servers that finish the same upload at once: one image, one of them tells of it', async (t) => {
  const { store, blobs, complete, keys, images } = await installation(t);
  const servers = [serverOn(store, blobs), serverOn(store, blobs)];
  for (let round = 0; round < 10; round++) {
    const id = await complete();
    const ends = await Promise.all(servers.flatMap(({ finish }) => [finish(id), finish(id), finish(id)]));
    const ids = new Set(ends.map((end) => (end?.kind === 'finished' ? end.imageId : 'none')));
    assert.equal(ids.size, 1, JSON.stringify(ends));
    assert.equal((await images()).length, round + 1);
  }
  const told = servers.flatMap((server) => server.told.accepted);
  assert.equal(new Set(told).size, 10);
  assert.equal(told.length, 10);
  assert.equal((await keys()).length, 10);
});

test('an image that was deleted does not come back with its upload', async (t) => {
  const { store, blobs, complete, keys, images } = await installation(t);
  const id = await complete();
  const slow = serverOn(store, {
    ...blobs,
    // Meanwhile another server finishes the upload, and the image is deleted.
    async put(key, source) {
      await blobs.put(key, source);
      const end = await serverOn(store, blobs).finish(id);
      assert.ok(end?.kind === 'finished');
      await store.remove(end.imageId);
      await blobs.remove(key);
      await blobs.put(key, Readable.from([cat]));
    },
  });
  assert.equal((await slow.finish(id))?.kind, 'finished');
  assert.deepEqual([await images(), await keys(), slow.told.accepted], [[], [], []]);
});

test('what is no picture is refused once, and its parts go', async (t) => {
  const { store, blobs, complete, keys } = await installation(t);
  const id = await complete(Buffer.from('This is no picture.'));
  const { finish, told } = serverOn(store, blobs);
  const ends = await Promise.all([finish(id), serverOn(store, blobs).finish(id)]);
  for (const end of ends) assert.ok(end?.kind === 'refused' && end.refusal.code === 'unsupported-type');
  assert.ok(told.refused.length <= 1);
  assert.deepEqual(await keys(), []);
});

test('an upload whose part is lost is given up', async (t) => {
  const { store, blobs, complete, images } = await installation(t);
  const id = await complete();
  await blobs.remove((await store.upload(id))?.parts[1] ?? '');
  assert.deepEqual(await serverOn(store, blobs).finish(id), { kind: 'gone' });
  assert.deepEqual([await images(), (await store.upload(id))?.parts], [[], []]);
});

test('an upload that lacks bytes is not finished; one that nobody knows is gone', async (t) => {
  const { store, blobs, begun, add } = await installation(t);
  const id = await begun(100);
  await add(id, cat.subarray(0, 99));
  const { finish } = serverOn(store, blobs);
  assert.equal(await finish(id), undefined);
  assert.deepEqual(await finish(randomUUID()), { kind: 'gone' });
});

test('what a broken source has brought is kept, and one byte too many is not', async (t) => {
  const { store, blobs, begun, add, keys } = await installation(t);
  const id = await begun(cat.length);
  const broken = async function* () {
    yield cat.subarray(0, 5000);
    throw new Error('cut');
  };
  const upload = (await store.upload(id)) ?? assert.fail();
  const told: number[] = [];
  const context = { store, blobs, keepMs: day, onPart: (bytes: number) => void told.push(bytes) };
  await assert.rejects(append(context, upload, broken()), /cut/);
  assert.deepEqual([(await store.upload(id))?.received, told], [5000, [5000]]);
  assert.deepEqual(await append(context, upload, broken()), { kind: 'conflict' });
  assert.deepEqual(await add(id, cat.subarray(5000), Buffer.from([0])), { kind: 'too-long' });
  assert.deepEqual([(await store.upload(id))?.received, (await keys()).length], [5000, 1]);
});

test('a large piece is kept in parts as it comes', async (t) => {
  const { store, begun, add } = await installation(t);
  const chunk = Buffer.alloc(65_536, 1);
  cat.copy(chunk);
  const id = await begun(20 * 2 ** 20);
  const chunks = Array<Buffer>(320).fill(chunk);
  assert.deepEqual(await add(id, ...chunks), { kind: 'appended', received: 20 * 2 ** 20 });
  assert.equal((await store.upload(id))?.parts.length, 3);
});

test('tending: complete uploads are finished, expired ones removed, old ones forgotten', async (t) => {
  const { store, blobs, begun, add, complete, keys, images } = await installation(t);
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

test('tending: however many have ended, all are forgotten in one go', async (t) => {
  const { store, blobs, begun } = await installation(t);
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

test('tending: a part whose row never came is removed after a day, whatever became of its upload', async (t) => {
  const { store, blobs, begun, add, keys } = await installation(t);
  const open = await begun(100);
  await add(open, cat.subarray(0, 10));
  const [known = ''] = await keys();
  const part = (upload: string, ago: number): string => {
    const time = (Date.now() - ago).toString(16).padStart(12, '0');
    const [, , ...rest] = (partKey(upload).split('.')[1] ?? '').split('-');
    return `uploads/${upload}.${time.slice(0, 8)}-${time.slice(8)}-${rest.join('-')}`;
  };
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
