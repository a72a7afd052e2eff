import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { freePorts } from '../../test/services/free-port.ts';
import { pieces } from './blobs.contract.ts';
import { BlobMissing, BlobsUnavailable } from './blobs.ts';
import { presignedReader } from './presigned.ts';
import { s3Harness } from './s3.testing.ts';

const key = '2026/11/23/a.jpg';
const signature = '?X-Amz-Signature=5e5a3e';

/** What a server that is not S3, or not well, may answer. */
const serve = async (t: TestContext, answer: RequestListener): Promise<string> => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/${key}${signature}`;
};

const fails = async (reading: Promise<unknown>, message: RegExp, code: string | undefined): Promise<void> => {
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, message);
    assert.equal('code' in error ? error.code : undefined, code);
    assert.ok(!inspect(error, { depth: 10 }).includes('X-Amz-'), 'the URL is a secret');
    return true;
  });
};
const unavailable = (reading: Promise<unknown>, message: RegExp) =>
  fails(reading, message, 'blobs-unavailable');

suite('reading under a URL', () => {
  for (const [status, body, message] of [
    [403, '<Error><Code>AccessDenied</Code></Error>', /status 403 AccessDenied$/],
    [404, '<Error><Code>NoSuchBucket</Code></Error>', /status 404 NoSuchBucket$/],
    [404, '<html>nothing here</html>', /status 404$/],
    [503, '<Error><Code>SlowDown</Code></Error>', /status 503 SlowDown$/],
    [500, 'x'.repeat(1_000_000), /status 500$/],
    [206, 'half a picture', /status 206$/],
  ] as const) {
    test(`status ${status} ${body.slice(0, 40)}: the storage is away, not the blob`, async (t) => {
      const url = await serve(t, (_, response) => response.writeHead(status).end(body));
      await unavailable(presignedReader(10_000)({ key, url, bytes: 100 }), message);
    });
  }

  test('a redirect is not followed', async (t) => {
    let asked = 0;
    const elsewhere = await serve(t, (_, response) => {
      asked++;
      response.end('a picture');
    });
    const url = await serve(t, (_, response) => response.writeHead(307, { location: elsewhere }).end());
    await unavailable(presignedReader(10_000)({ key, url, bytes: 100 }), /status 307$/);
    assert.equal(asked, 0);
  });

  test('a first failure is tried again at once', async (t) => {
    let asked = 0;
    const url = await serve(t, (_, response) => {
      asked++;
      if (asked === 1) response.destroy();
      else response.end('picture');
    });
    assert.equal((await presignedReader(10_000)({ key, url, bytes: 100 })).toString(), 'picture');
  });

  test('nobody listens', async () => {
    const [port] = await freePorts(1);
    for (const [url, why] of [
      [`http://127.0.0.1:${port}/${signature}`, /ECONNREFUSED$/],
      [`http://127.0.0.1:1/${signature}`, /bad port$/],
      [`no url${signature}`, /ERR_INVALID_URL$/],
    ] as const) {
      await unavailable(presignedReader(10_000)({ key, url, bytes: 100 }), why);
    }
  });

  test('a connection that breaks in the middle is no whole picture', async (t) => {
    const url = await serve(t, (_, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half', () => response.destroy());
    });
    await unavailable(presignedReader(10_000)({ key, url, bytes: 1000 }), /UND_ERR|ECONNRESET/);
  });

  for (const announced of [true, false]) {
    test(`more than was stored is refused, ${announced ? '' : 'not '}announced`, async (t) => {
      let closed: Promise<unknown> | undefined;
      const url = await serve(t, (_, response) => {
        closed = once(response, 'close');
        response.writeHead(200, announced ? { 'content-length': '1000000000' } : {});
        const more = () => void response.write(randomBytes(65_536), (error) => error ?? more());
        more();
      });
      await fails(
        presignedReader(60_000)({ key, url, bytes: 1000 }),
        /larger than the 1000 bytes/,
        undefined,
      );
      await closed;
    });
  }

  test('a storage that stalls is waited for twice in all, not once for each blob', async (t) => {
    let asked = 0;
    const url = await serve(t, () => void asked++);
    const read = presignedReader(100);
    for (let n = 0; n < 20; n++) await unavailable(read({ key, url, bytes: 100 }), /no answer in time$/);
    assert.ok(asked <= 3, `${asked} requests`);
  });
});

const { skip, server, open, client } = s3Harness();

suite('reading under a URL that was signed for S3', { skip }, () => {
  test('gives the bytes without any credentials; a blob that is not there is missing', async () => {
    const blobs = await open({ url: `${await server().bucket()}/images` });
    const bytes = randomBytes(3_000_000);
    await blobs.put(key, pieces(bytes));
    const read = presignedReader(10_000);
    const url = await blobs.presignedUrl(key, 60);
    assert.ok((await read({ key, url, bytes: bytes.length })).equals(bytes));
    const missing = await blobs.presignedUrl('2026/never.jpg', 60);
    await fails(
      read({ key: '2026/never.jpg', url: missing, bytes: 1 }),
      /no blob 2026\/never\.jpg/,
      'blob-missing',
    );
    await assert.rejects(
      read({ key: '2026', url: await blobs.presignedUrl('2026', 60), bytes: 1 }),
      BlobMissing,
    );
    await assert.rejects(blobs.presignedUrl('../a', 60), { code: 'invalid-blob-key' });
  });

  test('a URL that has expired, that was signed for another blob, or that outlived the bucket', async () => {
    const bucket = await server().bucket();
    const blobs = await open({ url: bucket });
    for (const one of ['a', 'b']) await blobs.put(one, pieces(Buffer.from(one)));
    const read = presignedReader(10_000);
    const command = new GetObjectCommand({ Bucket: new URL(bucket).host, Key: 'a' });
    const signingDate = new Date(Date.now() - 3_600_000);
    const expired = await getSignedUrl(client(), command, { expiresIn: 60, signingDate });
    await unavailable(read({ key: 'a', url: expired, bytes: 1 }), /status 403 AccessDenied$/);
    const url = await blobs.presignedUrl('a', 60);
    const other = url.replace('/a?', '/b?');
    await unavailable(read({ key: 'b', url: other, bytes: 1 }), /status 403 SignatureDoesNotMatch$/);
    await server().removeBucket(bucket);
    await assert.rejects(read({ key: 'a', url, bytes: 1 }), BlobsUnavailable);
  });
});
