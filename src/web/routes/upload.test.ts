import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { filesystemBlobs } from '../../blobs/filesystem.ts';
import { memoryBroker } from '../../broker/memory.ts';
import { loadConfig } from '../../config.ts';
import { createMetrics } from '../../observability/metrics.ts';
import { webMetrics } from '../../observability/web-metrics.ts';
import { openSqliteStore } from '../../store/sqlite.ts';
import { startWeb } from '../start-web.ts';

const cat = await readFile(new URL('../../../test/fixtures/cats/chelsea.png', import.meta.url));
const accuracy = { data: 'none', images: 0, overall: 0, perLabel: {} };
const model = {
  name: 'pets',
  version: '1',
  digest: 'd',
  description: '',
  labels: [],
  licence: 'MIT',
  input: { width: 1, height: 1 },
  classes: 0,
  card: null,
  accuracy,
};

/** The web server on real adapters; no consumer, so what is accepted stays queued. */
const open = async (environment: NodeJS.ProcessEnv = {}) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-web-'));
  const config = loadConfig({ GANTRY_MIN_FREE_BYTES: '1', ...environment });
  const blobs = filesystemBlobs(join(dir, 'images'));
  await blobs.prepare();
  const store = await openSqliteStore(join(dir, 'gantry.db'));
  const log = pino({ level: 'silent' });
  const broker = memoryBroker();
  const parts = {
    config,
    store,
    blobs,
    broker,
    metrics: webMetrics(createMetrics('web')),
    log,
    version: '0',
    models: [model],
  };
  const web = await startWeb({ ...parts, role: 'web', models: [model] });
  const send = (body: Buffer, headers: Record<string, string> = {}) =>
    web.app.inject({
      method: 'POST',
      url: '/upload',
      headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
      payload: body,
    });
  return {
    store,
    send,
    files: async () =>
      (await readdir(join(dir, 'images'), { recursive: true, withFileTypes: true })).filter((e) =>
        e.isFile(),
      ),
    async close() {
      await web.stopAccepting();
      await web.stopPipeline();
      await broker.close();
      await store.close();
    },
  };
};

const part = (name: string): Buffer =>
  Buffer.concat([
    Buffer.from(`--b\r\nContent-Disposition: form-data; name="image"; filename="${name}"\r\n\r\n`),
    cat,
    Buffer.from('\r\n'),
  ]);
const end = Buffer.from('--b--\r\n');

test('a request that fails half-way leaves no file: cut off, or with too many files', async () => {
  const server = await open({ GANTRY_MAX_FILES: '2' });
  const whole = Buffer.concat([part('a'), part('b')]);
  const cut = await server.send(whole.subarray(0, whole.length - 1000));
  assert.equal(cut.statusCode, 400);
  assert.equal(cut.json().code, 'invalid-multipart');
  assert.deepEqual(await server.files(), []);
  const many = await server.send(Buffer.concat([part('a'), part('b'), part('c'), end]));
  assert.equal(many.statusCode, 413);
  assert.match(many.json().detail, /limit of 2/);
  assert.deepEqual(await server.files(), []);
  assert.equal((await server.store.outstanding()).images, 0);
  await server.close();
});

test('a repeated upload keeps one file, a conflicting one none', async () => {
  const server = await open();
  const headers = { 'idempotency-key': 'k' };
  const one = await server.send(Buffer.concat([part('a'), end]), headers);
  const two = await server.send(Buffer.concat([part('a'), end]), headers);
  assert.equal(two.statusCode, 202);
  assert.deepEqual(two.json(), one.json());
  const other = await server.send(Buffer.concat([part('a'), part('b'), end]), headers);
  assert.equal(other.statusCode, 422);
  assert.equal((await server.files()).length, 1);
  assert.equal((await server.store.outstanding()).images, 1);
  await server.close();
});

test('a full backlog answers 503 and says when to come back', async () => {
  const server = await open({ GANTRY_MAX_BACKLOG: '1' });
  assert.equal((await server.send(Buffer.concat([part('a'), end]))).statusCode, 202);
  let answer = await server.send(Buffer.concat([part('b'), end]));
  // The figure may be a second old; nothing ends here, so it fills up for certain.
  while (answer.statusCode === 202) answer = await server.send(Buffer.concat([part('b'), end]));
  assert.equal(answer.statusCode, 503);
  assert.equal(answer.json().code, 'backlog-full');
  assert.match(answer.json().detail, /the limit is 1/);
  assert.ok(Number(answer.headers['retry-after']) > 0);
  await server.close();
});

test('a disk below its reserve answers 507, and nothing is taken', async () => {
  const server = await open({ GANTRY_MIN_FREE_BYTES: '1000000GiB' });
  const answer = await server.send(Buffer.concat([part('a'), end]));
  assert.equal(answer.statusCode, 507);
  assert.equal(answer.json().code, 'storage-full');
  assert.deepEqual(await server.files(), []);
  await server.close();
});
