import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { madeKey, openWeb } from '../web.testing.ts';

const cat = await readFile(new URL('../../../test/fixtures/cats/chelsea.png', import.meta.url));
const dog = await readFile(new URL('../../../test/fixtures/dogs/golden_retriever.jpg', import.meta.url));

test('an Idempotency-Key is its API key’s own: nobody meets another’s upload by it', async (t) => {
  const [one, two] = [madeKey(['upload']), madeKey(['upload'])];
  const { app } = await openWeb(t, { keys: [one.entry, two.entry] });
  const upload = async (key: string, picture: Buffer) => {
    const payload = Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="image"; filename="secret name"\r\n\r\n'),
      picture,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const headers = {
      'content-type': 'multipart/form-data; boundary=b',
      'idempotency-key': '1',
      authorization: `Bearer ${key}`,
    };
    const answer = await app.inject({ method: 'POST', url: '/upload', headers, payload });
    return { status: answer.statusCode, id: answer.json().correlationId as string | undefined };
  };
  const first = await upload(one.key, cat);
  assert.equal(first.status, 202);
  assert.deepEqual(await upload(one.key, cat), first);
  assert.equal((await upload(one.key, dog)).status, 422);
  const other = await upload(two.key, cat);
  assert.equal(other.status, 202);
  assert.notEqual(other.id, first.id);
  assert.deepEqual(await upload(two.key, cat), other);
});
