import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { test } from 'node:test';
import {
  authorization,
  ended,
  fetch,
  fixture,
  type ImageJson,
  json,
  nextPictureWorks,
  problem,
  serverUnderTest,
} from './target.ts';
import {
  addressIn,
  create,
  created,
  head,
  imageIn,
  metadata,
  offsetOf,
  patch,
  terminate,
} from './tus-client.ts';

const server = serverUnderTest();
nextPictureWorks(server);
const cat = await fixture('cats/chelsea.png');
const middle = 100_000;

const listed = async (name: string): Promise<readonly ImageJson[]> =>
  (await json<{ images: ImageJson[] }>(await fetch(`${server.url}/images?text=${name}`))).images;

test('a picture in two pieces becomes an image, and the answer is found again', async () => {
  const response = await create(server.url, cat.length, { 'upload-metadata': metadata('Müsli.png') });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('tus-resumable'), '1.0.0');
  assert.equal(response.headers.get('upload-offset'), '0');
  assert.ok(Date.parse(response.headers.get('upload-expires') ?? '') > Date.now());
  const upload = addressIn(server.url, response);

  const first = await patch(upload, 0, cat.subarray(0, middle));
  assert.deepEqual([first.status, first.headers.get('upload-offset')], [204, `${middle}`]);
  assert.equal(first.headers.get('gantry-image-id'), null);
  const asked = await head(upload);
  assert.deepEqual(
    ['upload-offset', 'upload-length', 'cache-control', 'tus-resumable', 'gantry-image-id'].map((name) =>
      asked.headers.get(name),
    ),
    [`${middle}`, `${cat.length}`, 'no-store', '1.0.0', null],
  );

  const last = await patch(upload, middle, cat.subarray(middle));
  assert.equal(last.status, 204);
  const image = await ended(server.url, imageIn(last));
  assert.deepEqual([image.filename, image.bytes, image.result?.label], ['Müsli.png', cat.length, 'cat']);
  assert.equal(image.sha256, createHash('sha256').update(cat).digest('hex'));
  const original = await fetch(`${server.url}/images/${image.id}/original`);
  assert.ok(Buffer.from(await original.arrayBuffer()).equals(cat));

  assert.equal(imageIn(await head(upload)), image.id);
  assert.equal(imageIn(await patch(upload, cat.length, Buffer.alloc(0))), image.id);
  const repeated = await patch(upload, middle, cat.subarray(middle));
  await problem(repeated, 409, 'offset-conflict');
  assert.equal(repeated.headers.get('upload-offset'), `${cat.length}`);
});

test('a picture that comes with the request that creates the upload', async () => {
  const whole = await create(server.url, cat.length, { 'upload-metadata': metadata('whole.png') }, cat);
  assert.equal(whole.status, 201);
  assert.equal((await ended(server.url, imageIn(whole))).filename, 'whole.png');
  const part = await create(server.url, cat.length, {}, cat.subarray(0, middle));
  assert.deepEqual([part.status, part.headers.get('upload-offset')], [201, `${middle}`]);
  const rest = await patch(addressIn(server.url, part), middle, cat.subarray(middle));
  assert.equal((await ended(server.url, imageIn(rest))).filename, 'unnamed');
});

test('what the server can do', async () => {
  const response = await fetch(`${server.url}/uploads`, { method: 'OPTIONS' });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('tus-version'), '1.0.0');
  assert.equal(response.headers.get('tus-extension'), 'creation,creation-with-upload,termination,expiration');
  assert.ok(Number(response.headers.get('tus-max-size')) > cat.length);
});

/** Sends the beginning of a piece that says it is the whole picture, and breaks off. */
const sendCut = async (upload: string, bytes: Buffer): Promise<void> => {
  const { hostname, port, pathname } = new URL(upload);
  const headers = {
    ...authorization,
    'tus-resumable': '1.0.0',
    'content-type': 'application/offset+octet-stream',
    'upload-offset': '0',
    'content-length': cat.length,
  };
  const cut = request({ hostname, port, path: pathname, method: 'PATCH', headers });
  cut.on('error', () => {});
  await new Promise<void>((sent) => cut.write(bytes, () => sent()));
  await new Promise<void>((closed) => cut.on('close', closed).destroy());
};

test('the document says what a piece is', async () => {
  type Document = { paths: Record<string, Record<string, { requestBody?: { content: object } }>> };
  const { paths } = await json<Document>(await fetch(`${server.url}/openapi.json`));
  assert.deepEqual(Object.keys(paths['/uploads/{id}'] ?? {}).sort(), [
    'delete',
    'head',
    'options',
    'patch',
    'post',
  ]);
  const { requestBody } = paths['/uploads/{id}']?.patch ?? {};
  assert.deepEqual(Object.keys(requestBody?.content ?? {}), ['application/offset+octet-stream']);
});

test('a connection that is cut in the middle keeps what came', async () => {
  const upload = await created(server.url, cat.length);
  let offset = 0;
  while (offset === 0) {
    // Its bytes may be lost on the way; what the server says it has is what counts.
    await sendCut(upload, cat.subarray(0, middle));
    offset = await offsetOf(upload);
  }
  assert.ok(offset <= middle);
  const last = await patch(upload, offset, cat.subarray(offset));
  assert.equal(last.status, 204, await last.text());
  const { sha256 } = await ended(server.url, imageIn(last));
  assert.equal(sha256, createHash('sha256').update(cat).digest('hex'));
});

test('the same piece sent at once by many is taken once', async () => {
  const upload = await created(server.url, cat.length, 'at-once.png');
  const answers = await Promise.all(Array.from({ length: 6 }, () => patch(upload, 0, cat)));
  const taken = answers.filter(({ status }) => status === 204);
  assert.equal(taken.length, 1, answers.map(({ status }) => status).join());
  for (const answer of answers) if (answer.status !== 204) await problem(answer, 409, 'offset-conflict');
  const image = imageIn(taken[0] ?? assert.fail());
  const heads = await Promise.all(Array.from({ length: 6 }, () => head(upload)));
  assert.deepEqual(new Set(heads.map(imageIn)), new Set([image]));
  await ended(server.url, image);
  assert.deepEqual(
    (await listed('at-once.png')).map(({ id }) => id),
    [image],
  );
});

test('a client of no version, or another', async () => {
  const none = await create(server.url, 10, { 'tus-resumable': undefined });
  assert.match((await problem(none, 412, 'tus-version')).detail, /1\.0\.0/);
  assert.equal(none.headers.get('tus-version'), '1.0.0');
  await problem(await create(server.url, 10, { 'tus-resumable': '0.2.2' }), 412, 'tus-version');
  const upload = await created(server.url, 10);
  for (const method of ['PATCH', 'DELETE'])
    await problem(await fetch(upload, { method }), 412, 'tus-version');
  assert.equal((await fetch(upload, { method: 'HEAD' })).status, 412);
});

test('lengths that cannot be', async () => {
  for (const length of ['', '-1', '1.5', '1e9', 'ten', '9'.repeat(16)])
    await problem(await create(server.url, 0, { 'upload-length': length }), 400, 'invalid-upload');
  const none = await create(server.url, 0, { 'upload-length': undefined });
  assert.match((await problem(none, 400, 'invalid-upload')).detail, /Upload-Length is missing/);
  const later = await create(server.url, 0, { 'upload-length': undefined, 'upload-defer-length': '1' });
  assert.match((await problem(later, 400, 'invalid-upload')).detail, /Upload-Defer-Length is not supported/);
  await problem(await create(server.url, 0), 400, 'empty-file');
  const most = Number(
    (await fetch(`${server.url}/uploads`, { method: 'OPTIONS' })).headers.get('tus-max-size'),
  );
  const large = await problem(await create(server.url, most + 1), 413, 'file-too-large');
  assert.match(large.detail, new RegExp(`limit of ${most} bytes`));
});

test('metadata that is none', async () => {
  const bad = ['filename !!!', 'filename Y2F0, ,', 'a b c', 'filename Y2F0,filename ZG9n', 'ä Y2F0'];
  // Not UTF-8.
  bad.push(`filename ${Buffer.from([0xff, 0xfe]).toString('base64')}`);
  for (const text of bad) {
    const answer = await create(server.url, 10, { 'upload-metadata': Buffer.from(text).toString('latin1') });
    await problem(answer, 400, 'invalid-upload');
  }
  const odd = await create(server.url, 10, { 'upload-metadata': 'is_confidential,relativePath bnVsbA==' });
  assert.equal(odd.status, 201);
});

test('pieces that do not fit', async () => {
  const upload = await created(server.url, cat.length);
  for (const offset of [1, cat.length, 10 ** 14])
    await problem(await patch(upload, offset, cat.subarray(0, 10)), 409, 'offset-conflict');
  for (const offset of ['', '-1', 'x'])
    await problem(await patch(upload, offset, cat), 400, 'invalid-upload');
  const json = await patch(upload, 0, cat, { 'content-type': 'application/json' });
  assert.ok([400, 415].includes(json.status));
  await problem(await patch(upload, 0, cat, { 'content-type': 'image/png' }), 415, 'unsupported-media-type');
  await problem(await patch(upload, 0, Buffer.concat([cat, cat])), 413, 'body-too-long');
  // Without a length of its own, it is only known when it comes.
  const endless = new Blob([cat, cat]).stream();
  await problem(await patch(upload, 0, endless), 413, 'body-too-long');
  assert.equal(await offsetOf(upload), 0);
  assert.equal((await ended(server.url, imageIn(await patch(upload, 0, cat)))).result?.label, 'cat');
});

test('an upload that nobody knows', async () => {
  for (const id of ['0d9e6e6c-7f0d-4f0e-9a8e-3f1f4a5b6c7d', 'x', '%00', '..%2f..%2fetc']) {
    const upload = `${server.url}/uploads/${id}`;
    assert.equal((await head(upload)).status, 404);
    await problem(await patch(upload, 0, cat), 404, 'not-found');
    await problem(await terminate(upload), 404, 'not-found');
  }
});

test('an upload that is given up is gone', async () => {
  const upload = await created(server.url, cat.length, 'given-up.png');
  await patch(upload, 0, cat.subarray(0, middle));
  assert.equal((await terminate(upload)).status, 204);
  assert.equal((await head(upload)).status, 410);
  await problem(await patch(upload, middle, cat.subarray(middle)), 410, 'upload-gone');
  await problem(await terminate(upload), 410, 'upload-gone');
  assert.deepEqual(await listed('given-up.png'), []);
});

test('a finished upload that is given up leaves its image alone', async () => {
  const upload = await created(server.url, cat.length);
  const image = imageIn(await patch(upload, 0, cat));
  assert.equal((await terminate(upload)).status, 204);
  assert.equal((await ended(server.url, image)).state, 'succeeded');
});

test('a file that is no picture is refused as by POST /upload, by its first bytes', async () => {
  const film = Buffer.concat([Buffer.from('000000206674797069736f6d', 'hex'), Buffer.alloc(200_000)]);
  const upload = await created(server.url, film.length * 10, 'film.jpg');
  const first = await problem(await patch(upload, 0, film), 415, 'unsupported-type');
  assert.match(first.detail, /video\/mp4/);
  await problem(await patch(upload, 0, film), 415, 'unsupported-type');
  assert.equal((await head(upload)).status, 415);

  const text = Buffer.from('This is no picture.');
  const short = await created(server.url, text.length, 'notes.jpg');
  assert.equal((await patch(short, 0, text.subarray(0, 4))).status, 204);
  await problem(await patch(short, 4, text.subarray(4)), 415, 'unsupported-type');
  assert.equal((await head(short)).status, 415);
  assert.deepEqual(await listed('notes.jpg'), []);
});
