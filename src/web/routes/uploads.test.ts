import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { cat, clientOf, part } from '../tus.testing.ts';
import { madeKey, openWeb } from '../web.testing.ts';

test('uploading in parts needs the scope upload, and is told of with its key', async (t) => {
  const [uploader, reader] = [madeKey(['upload']), madeKey(['read'])];
  const server = await openWeb(t, { keys: [uploader.entry, reader.entry] });
  const { created, patch, ask } = clientOf(server, uploader.key);
  const url = await created();
  for (const [key, status] of [
    [undefined, 401],
    [reader.key, 403],
  ] as const) {
    const other = clientOf(server, key);
    const answers = [await other.create(), await other.patch(url, 0, cat), await other.ask('DELETE', url)];
    answers.push(await other.ask('HEAD', url));
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      Array(4).fill(status),
    );
  }
  assert.equal((await ask('HEAD', url)).headers['upload-offset'], '0');
  const last = await patch(url, 0, cat);
  assert.equal(last.statusCode, 204, last.body);
  const line = server.lines.find(({ msg }) => msg === 'image accepted');
  assert.deepEqual(
    [line?.imageId, line?.keyId, line?.bytes],
    [last.headers['gantry-image-id'], uploader.entry.id, cat.length],
  );
});

test('every request of an upload counts towards the rate of its key', async (t) => {
  const { key, entry } = madeKey(['upload'], { rate: '3/h' });
  const server = await openWeb(t, { keys: [entry] });
  const { created, patch, ask } = clientOf(server, key);
  const url = await created();
  assert.equal((await patch(url, 0, cat.subarray(0, 9))).statusCode, 204);
  assert.equal((await ask('HEAD', url)).statusCode, 200);
  const refused = await patch(url, 9, cat.subarray(9));
  assert.deepEqual([refused.statusCode, refused.json().code], [429, 'rate-limited']);
});

test('files are counted once, whether they are taken, refused, or too large to begin', async (t) => {
  const server = await openWeb(t);
  const { app } = server;
  const { create, created, patch, ask } = clientOf(server);
  const url = await created();
  await patch(url, 0, cat.subarray(0, 9));
  await patch(url, 0, cat);
  await patch(url, 9, cat.subarray(9));
  await ask('HEAD', url);
  const film = await created(100_000);
  await patch(film, 0, Buffer.alloc(10_000, 'film'));
  await patch(film, 0, Buffer.alloc(10_000, 'film'));
  assert.equal((await create(10 ** 12)).statusCode, 413);
  const { body } = await app.inject('/metrics');
  const counted = [...body.matchAll(/^gantry_uploads_total\{outcome="(.*)"\} ([1-9]\d*)$/gm)];
  assert.deepEqual(Object.fromEntries(counted.map(([, outcome, count]) => [outcome, count])), {
    accepted: '1',
    'unsupported-type': '1',
    'file-too-large': '1',
  });
  assert.match(body, new RegExp(`^gantry_upload_bytes_total ${cat.length}$`, 'm'));
});

test('a full disk begins no upload', async (t) => {
  const server = await openWeb(t, { environment: { GANTRY_MIN_FREE_BYTES: '1000000GiB' } });
  const answer = await clientOf(server).create();
  assert.deepEqual([answer.statusCode, answer.json().code], [507, 'storage-full']);
});

test('so many unfinished uploads, and no more are begun; what is begun goes on, and files in one piece are taken', async (t) => {
  const server = await openWeb(t, { environment: { GANTRY_MAX_BACKLOG: '1' } });
  const { create, patch } = clientOf(server);
  const id = randomUUID();
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  await server.store.createUpload({ id, filename: 'a.png', bytes: cat.length, expiresAt });
  const refused = await create();
  assert.deepEqual([refused.statusCode, refused.json().code], [503, 'backlog-full']);
  assert.match(refused.json().detail, /1 uploads are unfinished, the limit is 1/);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  const form = new FormData();
  form.set('image', new Blob([cat]), 'a.png');
  const whole = new Request('http://localhost/upload', { method: 'POST', body: form });
  const payload = Buffer.from(await whole.arrayBuffer());
  const headers = { 'content-type': whole.headers.get('content-type') ?? '' };
  assert.equal((await patch(`/uploads/${id}`, 0, cat.subarray(0, 9))).statusCode, 204);
  assert.equal(
    (await server.app.inject({ method: 'POST', url: '/upload', headers, payload })).statusCode,
    202,
  );
});

test('a first piece longer than the whole file begins no upload', async (t) => {
  const server = await openWeb(t);
  const bytes = cat.length - 1;
  const send = (payload: Buffer | Readable) => {
    const headers = { ...part(0), 'upload-length': String(bytes), 'idempotency-key': 'key' };
    return server.app.inject({ method: 'POST', url: '/uploads', headers, payload });
  };
  // With a length of its own, and without.
  for (const payload of [cat, Readable.from([cat])]) {
    const refused = await send(payload);
    assert.deepEqual([refused.statusCode, refused.json().code], [413, 'body-too-long']);
    assert.deepEqual([refused.headers.location, await server.store.openUploads()], [undefined, 0]);
  }
  const answer = await send(cat.subarray(0, bytes));
  assert.deepEqual([answer.statusCode, answer.headers['upload-offset']], [201, String(bytes)], answer.body);
});

test('what unfinished uploads have brought counts towards the quota', async (t) => {
  const server = await openWeb(t, { environment: { GANTRY_MAX_STORED_BYTES: '1000' } });
  const { create, created, patch } = clientOf(server);
  const url = await created();
  assert.equal((await patch(url, 0, cat.subarray(0, 2000))).statusCode, 204);
  for (const answer of [await create(), await patch(url, 2000, cat.subarray(2000))])
    assert.deepEqual([answer.statusCode, answer.json().code], [507, 'quota-full']);
  assert.equal((await server.store.upload(url.slice(9)))?.received, 2000);
});

test('an upload whose time is over is gone', async (t) => {
  const server = await openWeb(t);
  const { patch, ask } = clientOf(server);
  const id = randomUUID();
  await server.store.createUpload({ id, filename: 'a', bytes: 10, expiresAt: '2026-01-01T00:00:00Z' });
  const answer = await patch(`/uploads/${id}`, 0, cat.subarray(0, 10));
  assert.deepEqual([answer.statusCode, answer.json().code], [410, 'upload-gone']);
  assert.equal((await ask('HEAD', `/uploads/${id}`)).statusCode, 410);
});

test('a server that stops keeps what has come, and says so', async (t) => {
  const server = await openWeb(t);
  const { app, store } = server;
  const url = await clientOf(server).created();
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const headers = { ...part(0), 'content-length': cat.length };
  const sending = request(`${address}${url}`, { method: 'PATCH', headers });
  sending.on('error', () => {});
  const answered = once(sending, 'response');
  sending.write(cat.subarray(0, 50_000));
  // The part's temporary file shows that its first bytes have arrived.
  const temporary = join(server.dir, 'images', '.tmp');
  const written = async (): Promise<boolean> => {
    const entries = await readdir(temporary, { recursive: true, withFileTypes: true });
    return entries.some((entry) => entry.isFile());
  };
  while (!(await written()));
  const closed = app.close();
  const [response] = await answered;
  assert.equal(response.statusCode, 503);
  assert.equal(JSON.parse(await text(response)).code, 'stopping');
  await closed;
  const received = (await store.upload(url.slice(9)))?.received ?? 0;
  assert.ok(received > 0 && received <= 50_000, String(received));
});
