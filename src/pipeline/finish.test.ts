import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { startTendingUploads } from './tend-uploads.ts';
import { cat, day, log, serverOn, uploading } from './uploads.testing.ts';

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
    const { store, blobs, complete, keys, images } = await uploading(t);
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
  const { store, blobs, complete, keys, images } = await uploading(t);
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
  const { store, blobs, complete, keys, images } = await uploading(t);
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
  const { store, blobs, complete, keys } = await uploading(t);
  const id = await complete(Buffer.from('This is no picture.'));
  const { finish, told } = serverOn(store, blobs);
  const ends = await Promise.all([finish(id), serverOn(store, blobs).finish(id)]);
  for (const end of ends) assert.ok(end?.kind === 'refused' && end.refusal.code === 'unsupported-type');
  assert.ok(told.refused.length <= 1);
  assert.deepEqual(await keys(), []);
});

test('an upload whose part is lost is given up', async (t) => {
  const { store, blobs, complete, images } = await uploading(t);
  const id = await complete();
  await blobs.remove((await store.upload(id))?.parts[1] ?? '');
  assert.deepEqual(await serverOn(store, blobs).finish(id), { kind: 'gone' });
  assert.deepEqual([await images(), (await store.upload(id))?.parts], [[], []]);
});

test('an upload that lacks bytes is not finished; one that nobody knows is gone', async (t) => {
  const { store, blobs, begun, add } = await uploading(t);
  const id = await begun(100);
  await add(id, cat.subarray(0, 99));
  const { finish } = serverOn(store, blobs);
  assert.equal(await finish(id), undefined);
  assert.deepEqual(await finish(randomUUID()), { kind: 'gone' });
});
