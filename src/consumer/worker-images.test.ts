import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, type TestContext, test } from 'node:test';
import { startProxy } from '../../test/services/tcp-proxy.ts';
import { pieces } from '../blobs/blobs.contract.ts';
import { BlobsUnavailable } from '../blobs/blobs.ts';
import { s3Harness } from '../blobs/s3.testing.ts';
import type { S3Blobs } from '../blobs/s3.ts';
import { model, poolHarness } from './worker-pool.testing.ts';
import type { ImageSource } from './worker-pool.ts';

const { skip, server, open } = s3Harness();

suite('workers that read from S3', { skip, timeout: 240_000 }, () => {
  const { startPool, classify, classifyAll, job, events, imagesDir } = poolHarness();
  let blobs: S3Blobs;
  const images = (change: Partial<{ urlOf: (key: string, seconds: number) => Promise<string> }> = {}) =>
    ({ kind: 'urls', urlOf: blobs.presignedUrl, ...change }) satisfies ImageSource;

  before(async () => {
    blobs = await open({ url: `${await server().bucket()}/images` });
    for (const name of ['red', 'green', 'broken'] as const) {
      const { blob } = job(name);
      await blobs.put(blob, pieces(readFileSync(join(imagesDir, blob))));
    }
  });

  test('classify what is there; what is missing or broken is told as such', async () => {
    const pool = await startPool({ modelDir: model('colours'), images: images() });
    assert.deepEqual(await classifyAll('red', 'missing', 'broken', 'green'), [
      'dog',
      'blob-missing!',
      'undecodable',
      'cat',
    ]);
    const outcome = await pool.classifier.classify(job('red'));
    assert.ok(outcome.kind === 'classified' && outcome.bytes > 50 && outcome.timings.fetchMs > 0);
    const file = { ...job('red'), bytes: outcome.bytes - 1 };
    await assert.rejects(async () => pool.classifier.classify(file), /larger than the \d+ bytes that were/);
  });

  test('the URLs outlive the deadline of a batch', async () => {
    const asked: number[] = [];
    const urlOf = (key: string, seconds: number) => {
      asked.push(seconds);
      return blobs.presignedUrl(key, seconds);
    };
    for (const deadlineMs of [30_000, 600_000, 2 ** 31 - 1]) {
      const pool = await startPool({ images: images({ urlOf }), deadlineMs });
      assert.equal(await classify('red'), 'dog');
      await pool.stop();
    }
    assert.deepEqual(asked, [300, 1200, 7 * 24 * 3600]);
  });

  test('a picture for which there is no URL is unavailable by itself; its neighbours succeed', async () => {
    const urlOf = (key: string, seconds: number) => {
      if (key.endsWith('blue.png')) throw new BlobsUnavailable('no credentials are to be found');
      return blobs.presignedUrl(key, seconds);
    };
    await startPool({ images: images({ urlOf }) });
    assert.deepEqual(await classifyAll('red', 'blue', 'green'), ['dog', 'storage-unavailable!', 'cat']);
    assert.deepEqual(await classifyAll('blue'), ['storage-unavailable!'], 'none to run the model on');
  });

  test('a URL that the storage refuses is an outage, not a missing picture', async () => {
    const urlOf = async (key: string, seconds: number) =>
      `${(await blobs.presignedUrl(key, seconds)).slice(0, -1)}_`;
    const pool = await startPool({ images: images({ urlOf }) });
    assert.equal(await classify('red'), 'storage-unavailable!');
    await assert.rejects(
      async () => pool.classifier.classify(job('red')),
      ({ message }) => /status 403/.test(message) && !/X-Amz|http:/.test(message),
    );
  });

  test('a key that no blob can have is no outage', async () => {
    const pool = await startPool({ images: images() });
    const bad = { ...job('red'), blob: '../etc/passwd' };
    await assert.rejects(async () => pool.classifier.classify(bad), { code: 'blob-missing' });
  });

  test('storage that ends and comes back', async () => {
    await startPool({ images: images() });
    assert.equal(await classify('red'), 'dog');
    await server().kill();
    try {
      assert.deepEqual(await classifyAll('red', 'green'), ['storage-unavailable!', 'storage-unavailable!']);
    } finally {
      await server().start();
    }
    assert.deepEqual(await classifyAll('red', 'green'), ['dog', 'cat']);
  });

  const proxied = async (t: TestContext) => {
    const proxy = await startProxy({ host: '127.0.0.1', port: server().port });
    t.after(() => proxy.close());
    const urlOf = async (key: string, seconds: number) => {
      const url = new URL(await blobs.presignedUrl(key, seconds));
      url.port = String(proxy.port);
      return url.href;
    };
    return { proxy, urlOf };
  };

  test('storage that hangs costs neither a worker nor an attempt', async (t) => {
    const { proxy, urlOf } = await proxied(t);
    const pool = await startPool({ images: images({ urlOf }), deadlineMs: 3_000 });
    proxy.stall();
    const names = ['red', 'green', 'red', 'green', 'red'] as const;
    assert.deepEqual(new Set(await classifyAll(...names)), new Set(['storage-unavailable!']));
    assert.equal(pool.stats()[0]?.restarts, 0);
  });

  test('what arrives while a batch gets its URLs goes through the model together, after it', async () => {
    const gate = Promise.withResolvers<void>();
    const urlOf = async (key: string, seconds: number) => {
      await gate.promise;
      return blobs.presignedUrl(key, seconds);
    };
    await startPool({ images: images({ urlOf }) });
    const sizes: number[] = [];
    events.on('batch-started', (event) => 'pictures' in event && sizes.push(event.pictures));
    const outcomes: Promise<string>[] = [];
    for (const name of ['red', 'green', 'red', 'green'] as const) {
      outcomes.push(classify(name));
      // Each in a turn of the event loop of its own, so that they do not arrive together.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    }
    gate.resolve();
    assert.deepEqual(await Promise.all(outcomes), ['dog', 'cat', 'dog', 'cat']);
    assert.deepEqual(sizes, [1, 3]);
  });

  test('a worker that ends while its batch gets its URLs: the batch goes to the next one', async () => {
    const asked = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const urlOf = async (key: string, seconds: number) => {
      asked.resolve();
      await gate.promise;
      return blobs.presignedUrl(key, seconds);
    };
    let restarted = () => {};
    const gone = new Promise<void>((resolve) => {
      restarted = resolve;
    });
    const onEvent = ({ kind }: { kind: string }) => void (kind === 'restarted' && restarted());
    const pool = await startPool({ images: images({ urlOf }), onEvent });
    const outcome = classifyAll('red', 'green');
    await asked.promise;
    process.kill(pool.stats()[0]?.pid ?? 0, 'SIGKILL');
    await gone;
    gate.resolve();
    assert.deepEqual(await outcome, ['dog', 'cat']);
  });

  const linux = process.platform !== 'linux' && 'needs /proc';
  test('a worker has no credentials in its environment', { skip: linux }, async (t) => {
    const secrets = { PGPASSWORD: 'sesame', GANTRY_AMQP_URL: 'amqp://a:sesame@b', SOME_TOKEN: 'sesame' };
    Object.assign(process.env, secrets, { NODE_EXTRA_CA_CERTS: '/dev/null' });
    t.after(() => {
      for (const name of [...Object.keys(secrets), 'NODE_EXTRA_CA_CERTS']) delete process.env[name];
    });
    const pool = await startPool({ images: images() });
    const environment = readFileSync(`/proc/${pool.stats()[0]?.pid}/environ`, 'utf8').split('\0');
    const { AWS_SECRET_ACCESS_KEY = '' } = process.env;
    assert.ok(AWS_SECRET_ACCESS_KEY.length > 10);
    for (const secret of [AWS_SECRET_ACCESS_KEY, 'sesame', 'AWS_']) {
      assert.deepEqual(
        environment.filter((one) => one.includes(secret)),
        [],
      );
    }
    for (const kept of [`PATH=${process.env.PATH}`, 'NODE_EXTRA_CA_CERTS=/dev/null', 'MALLOC_ARENA_MAX=2']) {
      assert.ok(environment.includes(kept), kept);
    }
  });
});
