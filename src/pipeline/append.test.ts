import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append } from './append.ts';
import { cat, uploading } from './uploads.testing.ts';

test('what a broken source has brought is kept, and one byte too many is not', async (t) => {
  const { store, appending, begun, add, keys } = await uploading(t);
  const id = await begun(cat.length);
  const broken = async function* () {
    yield cat.subarray(0, 5000);
    throw new Error('cut');
  };
  const upload = (await store.upload(id)) ?? assert.fail();
  const told: number[] = [];
  const context = { ...appending, onPart: (bytes: number) => void told.push(bytes) };
  await assert.rejects(append(context, upload, broken()), /cut/);
  assert.deepEqual([(await store.upload(id))?.received, told], [5000, [5000]]);
  assert.deepEqual(await append(context, upload, broken()), { kind: 'conflict' });
  assert.deepEqual(await add(id, cat.subarray(5000), Buffer.from([0])), { kind: 'too-long' });
  assert.deepEqual([(await store.upload(id))?.received, (await keys()).length], [5000, 1]);
});

test('a large piece is kept in parts as it comes', async (t) => {
  const { store, begun, add } = await uploading(t);
  const chunk = Buffer.alloc(65_536, 1);
  cat.copy(chunk);
  const id = await begun(20 * 2 ** 20);
  const chunks = Array<Buffer>(320).fill(chunk);
  assert.deepEqual(await add(id, ...chunks), { kind: 'appended', received: 20 * 2 ** 20 });
  assert.equal((await store.upload(id))?.parts.length, 3);
});
