import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import {
  authorization,
  fetch,
  fixture,
  type ImageJson,
  json,
  nextPictureWorks,
  problem,
  serverUnderTest,
  type UploadJson,
  upload,
} from './target.ts';

const server = serverUnderTest();
nextPictureWorks(server);

const boundary = 'gantry-test';
const part = (field: string, filename: string | undefined, content: Buffer | string): Buffer =>
  Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${field}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const raw = (
  body: Buffer | string,
  contentType = `multipart/form-data; boundary=${boundary}`,
): Promise<Response> =>
  fetch(`${server.url}/upload`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: new Uint8Array(Buffer.from(body)),
  });
const close = Buffer.from(`--${boundary}--\r\n`);

test('a file name with NUL is harmless', async () => {
  const response = await raw(
    Buffer.concat([part('image', 'cat\0.png', await fixture('cats/chelsea.png')), close]),
  );
  assert.ok(response.status === 202 || response.status === 400, String(response.status));
  assert.ok(!(await response.text()).includes('\\u0000'));
});

test('a wrong field name is named', async () => {
  const response = await raw(
    Buffer.concat([part('picture', 'cat.png', await fixture('cats/chelsea.png')), close]),
  );
  assert.match((await problem(response, 400, 'no-image')).detail, /"picture".*"image"/);
});

test('no file at all', async () => {
  await problem(await raw(Buffer.concat([part('note', undefined, 'hello'), close])), 400, 'no-image');
  await problem(await raw(close), 400, 'no-image');
});

test('no multipart', async () => {
  await problem(await raw('{}', 'application/json'), 415, 'not-multipart');
  await problem(await raw('', 'multipart/form-data'), 400, 'invalid-multipart');
});

test('a boundary of 200 characters', async () => {
  const response = await raw('--x', `multipart/form-data; boundary=${'b'.repeat(200)}`);
  assert.match((await problem(response, 400, 'invalid-multipart')).detail, /70/);
});

test('a body that is no multipart', async () => {
  await problem(await raw('just text'), 400, 'invalid-multipart');
});

test('10,000 parts', async () => {
  const small = part('x', undefined, 'x');
  await problem(
    await raw(Buffer.concat([...Array<Buffer>(10_000).fill(small), close])),
    413,
    'too-many-parts',
  );
});

test('more files than the limit: none is kept', async () => {
  const cat = part('image', 'many.png', await fixture('odd/cat_gray16.png'));
  const response = await raw(Buffer.concat([...Array<Buffer>(101).fill(cat), close]));
  assert.match((await problem(response, 413, 'too-many-parts')).detail, /100/);
  const { images } = await json<{ images: ImageJson[] }>(await fetch(`${server.url}/images?text=many.png`));
  assert.deepEqual(images, []);
});

test('a body that ends before its closing boundary: nothing of it is kept', async () => {
  const whole = part('image', 'cut.png', await fixture('cats/chelsea.png'));
  await problem(await raw(whole.subarray(0, whole.length / 2)), 400, 'invalid-multipart');
  const { images } = await json<{ images: ImageJson[] }>(await fetch(`${server.url}/images?text=cut.png`));
  assert.deepEqual(images, []);
});

test('a connection cut in the middle of an upload', async () => {
  const body = part('image', 'gone.png', await fixture('cats/chelsea.png'));
  const client = request(`${server.url}/upload`, {
    method: 'POST',
    headers: {
      ...authorization,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': body.length + 1000,
    },
  });
  const closed = new Promise((resolve) => client.on('close', resolve));
  client.on('error', () => undefined);
  await new Promise((resolve) => client.write(body.subarray(0, body.length / 2), resolve));
  client.destroy();
  await closed;
  const { images } = await json<{ images: ImageJson[] }>(await fetch(`${server.url}/images?text=gone.png`));
  assert.deepEqual(images, []);
});

test('no HTTP at all', async () => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.end('\x16\x03\x01 hello\r\n\r\n');
  assert.match(await text(socket), /^HTTP\/1\.1 400/);
});

test('the same Idempotency-Key: at once, afterwards, and for another picture', async () => {
  const key = `key-${process.pid}-${Date.now()}`;
  const cat = [{ name: 'idem.png', bytes: await fixture('cats/chelsea.png') }];
  const headers = { 'idempotency-key': key };
  const both = await Promise.all([upload(server.url, cat, headers), upload(server.url, cat, headers)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [202, 202],
  );
  const [one, two] = await Promise.all(both.map((response) => json<UploadJson>(response)));
  assert.deepEqual(one, two);
  const third = await upload(server.url, cat, headers);
  assert.deepEqual(await json<UploadJson>(third), one);
  assert.equal(third.headers.get('idempotent-replayed'), 'true');
  const { images } = await json<{ images: ImageJson[] }>(await fetch(`${server.url}/images?text=idem.png`));
  assert.deepEqual(
    images.map(({ id }) => id),
    [one?.correlationId],
  );
  const dog = [{ name: 'idem.png', bytes: await fixture('dogs/golden_retriever.jpg') }];
  await problem(await upload(server.url, dog, headers), 422, 'idempotency-key-reused');
  await problem(
    await upload(server.url, dog, { 'idempotency-key': 'k'.repeat(256) }),
    400,
    'invalid-request',
  );
});

const paths: [method: string, path: string, status: number, code: string][] = [
  ['GET', '/nowhere', 404, 'not-found'],
  ['GET', '/images/not-an-id', 400, 'invalid-request'],
  ['GET', '/images/01890000-0000-7000-8000-000000000000', 404, 'not-found'],
  ['GET', '/images/01890000-0000-7000-8000-000000000000/original', 404, 'not-found'],
  ['GET', '/images/01890000-0000-7000-8000-000000000000/thumbnail', 404, 'not-found'],
  ['GET', '/images/01890000-0000-7000-8000-000000000000/events', 404, 'not-found'],
  ['GET', '/images/01890000-0000-7000-8000-000000000000/timeline', 404, 'not-found'],
  ['DELETE', '/images/01890000-0000-7000-8000-000000000000', 404, 'not-found'],
  ['POST', '/images/01890000-0000-7000-8000-000000000000/reprocess', 404, 'not-found'],
  ['POST', '/dead-letters/01890000-0000-7000-8000-000000000000/replay', 404, 'not-found'],
  ['GET', '/images?state=happy', 400, 'invalid-request'],
  ['GET', '/images?limit=0', 400, 'invalid-request'],
  ['GET', '/images?sha256=abc', 400, 'invalid-request'],
  ['GET', '/images?limit=100000', 400, 'invalid-request'],
  // More than any number: a validator that skips it leaves it to the database.
  ['GET', '/images?limit=1e400', 400, 'invalid-request'],
  ['GET', '/dead-letters?limit=-1e400', 400, 'invalid-request'],
  ['GET', '/images?limit=5&limit=6', 400, 'invalid-request'],
  ['GET', '/images?cursor=nonsense', 400, 'invalid-cursor'],
  ['GET', '/images?from=yesterday', 400, 'invalid-request'],
  ['GET', '/images?sate=failed', 400, 'invalid-request'],
  ['GET', `/images?text=${'x'.repeat(300)}`, 400, 'invalid-request'],
  ['GET', '/images/..%2f..%2fetc%2fpasswd', 400, 'invalid-request'],
  ['PUT', '/upload', 404, 'not-found'],
  ['GET', '/images/%zz', 400, 'bad-request'],
  ['GET', `/images/${'a'.repeat(300)}`, 414, 'bad-request'],
  ['GET', '/images?from=2026-12-31T23:59:60Z', 400, 'invalid-request'],
];
for (const [method, path, status, code] of paths) {
  test(`${method} ${path.slice(0, 60)}: ${status}`, async () => {
    await problem(await fetch(`${server.url}${path}`, { method, headers: { accept: '*/*' } }), status, code);
  });
}

test('a page of another site changes nothing', async () => {
  const headers = { 'sec-fetch-site': 'cross-site' };
  const response = await upload(
    server.url,
    [{ name: 'a.png', bytes: await fixture('cats/chelsea.png') }],
    headers,
  );
  await problem(response, 403, 'cross-site');
});

test('Last-Event-ID that is no number', async () => {
  const headers = { 'last-event-id': 'x', accept: 'text/event-stream' };
  await problem(await fetch(`${server.url}/events`, { headers }), 400, 'invalid-request');
});
