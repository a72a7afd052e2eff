import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, suite, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { startProxy } from '../../test/services/tcp-proxy.ts';
import { keysOf, pieces } from './blobs.contract.ts';
import { BlobMissing, BlobsUnavailable } from './blobs.ts';
import { s3Harness } from './s3.testing.ts';
import type { S3Blobs } from './s3.ts';

const { skip, server, open } = s3Harness();
const key = '2026/11/23/a.jpg';
const small = () => pieces(Buffer.from('picture'));

const everyCall = (blobs: S3Blobs): Record<string, () => Promise<unknown>> => ({
  prepare: () => blobs.prepare(),
  put: () => blobs.put(key, small()),
  read: () => blobs.read(key),
  open: () => blobs.open(key),
  remove: () => blobs.remove(key),
  list: () => keysOf(blobs),
  freeBytes: () => blobs.freeBytes(),
});

const allUnavailable = async (blobs: S3Blobs, message: RegExp): Promise<void> => {
  for (const [name, call] of Object.entries(everyCall(blobs))) {
    await assert.rejects(call, { code: 'blobs-unavailable', message }, name);
  }
};

suite('S3 blobs whose storage is away', { skip, timeout: 120_000 }, () => {
  let down = false;
  const kill = async (): Promise<void> => {
    down = true;
    await server().kill();
  };
  const start = async (): Promise<void> => {
    await server().start();
    down = false;
  };
  afterEach(async () => {
    if (down) await start();
  });

  test('no server: every call says that it cannot connect; all is well once it is back', async () => {
    const blobs = await open();
    await blobs.put(key, small());
    await kill();
    await allUnavailable(blobs, /cannot connect to 127\.0\.0\.1:\d+ \(ECONNREFUSED\)$/);
    await start();
    assert.equal((await blobs.read(key)).toString(), 'picture');
    for (const call of Object.values(everyCall(blobs))) await call();
  });

  test('killed in the middle of an upload: nothing is visible, and the next upload works', async () => {
    const blobs = await open();
    const source = async function* () {
      for (let megabyte = 0; megabyte < 20; megabyte++) yield randomBytes(2 ** 20);
      await kill();
      yield randomBytes(2 ** 20);
    };
    await assert.rejects(blobs.put(key, source()), BlobsUnavailable);
    await start();
    await assert.rejects(blobs.read(key), BlobMissing);
    await blobs.put(key, small());
    assert.deepEqual(await keysOf(blobs), [key]);
  });

  test('killed in the middle of a download: the stream fails as unavailable', async () => {
    const blobs = await open();
    const bytes = randomBytes(30_000_000);
    await blobs.put(key, pieces(bytes, 1_000_000));
    const { stream } = await blobs.open(key);
    const reading = async () => {
      for await (const _ of stream) if (!down) await kill();
    };
    await assert.rejects(reading, { code: 'blobs-unavailable', message: new RegExp(`cannot read ${key}`) });
    await start();
    assert.ok((await blobs.read(key)).equals(bytes));
  });

  test('killed in the middle of a listing: the rest is not passed for the end', async () => {
    const url = await server().bucket();
    const folder = join(server().dir, new URL(url).host, 'a');
    await mkdir(folder);
    for (let n = 1000; n < 2010; n++) await writeFile(join(folder, String(n)), '');
    const blobs = await open({ url });
    const seen: string[] = [];
    const listing = async () => {
      for await (const one of blobs.list('')) {
        if (!down) await kill();
        seen.push(one);
      }
    };
    await assert.rejects(listing, BlobsUnavailable);
    assert.ok(seen.length >= 1 && seen.length < 1010, `${seen.length} keys`);
    await start();
    assert.equal((await keysOf(blobs)).length, 1010);
  });

  const proxied = async (t: TestContext) => {
    const proxy = await startProxy({ host: '127.0.0.1', port: server().port });
    t.after(() => proxy.close());
    const url = await server().bucket();
    const blobs = await open({ url, endpoint: `http://127.0.0.1:${proxy.port}`, idleTimeoutMs: 200 });
    return { proxy, blobs, url };
  };

  test('a server that does not answer is given up', async (t) => {
    const { proxy, blobs } = await proxied(t);
    await blobs.put(key, small());
    proxy.stall();
    await allUnavailable(blobs, /127\.0\.0\.1:\d+ does not answer in time$/);
    proxy.resume();
    // Of that one, for what was stalled may still arrive and be done.
    await blobs.put('b.jpg', small());
    assert.equal((await blobs.read('b.jpg')).toString(), 'picture');
  });

  test('an upload that stalls in the middle is given up, and is no fault of its source', async (t) => {
    const { proxy, blobs } = await proxied(t);
    const source = async function* () {
      for (let megabyte = 0; megabyte < 40; megabyte++) {
        if (megabyte === 12) proxy.stall();
        yield randomBytes(2 ** 20);
      }
    };
    await assert.rejects(blobs.put(key, source()), {
      code: 'blobs-unavailable',
      message: /does not answer in time$/,
    });
  });

  test('a download that stalls is given up', async (t) => {
    const { proxy, blobs, url } = await proxied(t);
    await (await open({ url })).put(key, pieces(randomBytes(30_000_000), 1_000_000));
    const { stream } = await blobs.open(key);
    const reading = async () => {
      for await (const _ of stream) proxy.stall();
    };
    await assert.rejects(reading, { code: 'blobs-unavailable', message: /does not answer in time$/ });
  });

  test('connections that break cost a retry, not the upload', async (t) => {
    const { proxy, blobs } = await proxied(t);
    const cut = proxy.cutBefore('toClient', (bytes) => bytes.includes('200 OK'));
    await blobs.put(key, small());
    assert.equal(await cut, true);
    assert.equal((await blobs.read(key)).toString(), 'picture');
  });

  test('no such bucket: says so, and no blob is called missing', async () => {
    const url = await server().bucket();
    const blobs = await open({ url });
    await server().removeBucket(url);
    await allUnavailable(blobs, /in s3:\/\/bucket-\d+: there is no such bucket$/);
  });

  test('credentials that are refused: says so and gives none of them away', async (t) => {
    const secret = process.env.AWS_SECRET_ACCESS_KEY ?? '';
    const id = process.env.AWS_ACCESS_KEY_ID ?? '';
    t.after(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret }));
    for (const [variable, wrong] of [
      ['AWS_SECRET_ACCESS_KEY', 'not-the-secret'],
      ['AWS_ACCESS_KEY_ID', 'not-the-id'],
    ] as const) {
      process.env[variable] = wrong;
      const blobs = await open();
      await allUnavailable(blobs, /access denied \(SignatureDoesNotMatch\)|404 XAdminUserNotFound$/);
      const error = await blobs.read(key).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof BlobsUnavailable && error.cause);
      const everything = inspect(error, { depth: 10 }) + JSON.stringify(error.cause);
      for (const word of [id, secret, 'not-the-', 'X-Amz-', 'Signature=']) {
        assert.ok(!everything.includes(word), `${word} in ${everything}`);
      }
    }
  });

  test('no credentials at all: says so', async (t) => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
    t.after(() => Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }));
    delete process.env.AWS_ACCESS_KEY_ID;
    process.env.AWS_EC2_METADATA_DISABLED = 'true';
    process.env.AWS_SHARED_CREDENTIALS_FILE = '/dev/null';
    process.env.AWS_CONFIG_FILE = '/dev/null';
    const blobs = await open();
    await allUnavailable(blobs, /no credentials are to be found$/);
    await assert.rejects(blobs.presignedUrl(key, 60), { code: 'blobs-unavailable' });
  });
});
