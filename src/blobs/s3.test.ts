import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { blobsContract, keysOf, pieces } from './blobs.contract.ts';
import { BlobMissing } from './blobs.ts';
import { s3Harness } from './s3.testing.ts';
import { s3Blobs } from './s3.ts';

const { skip, server, open, unfinished } = s3Harness();
const key = '2026/11/23/a.jpg';
const part = 8 * 2 ** 20;

blobsContract(
  'S3',
  async () => {
    const url = await server().bucket();
    return {
      blobs: await open({ url: `${url}/images` }),
      // Whatever a test did, no part of an upload may be left behind.
      dispose: async () => assert.equal(await unfinished(url), 0),
    };
  },
  skip,
);

suite('S3 blobs', { skip }, () => {
  for (const size of [part, part + 1, 2 * part, 3 * part + 1]) {
    test(`${size} bytes: around the size of a part nothing gets lost`, async () => {
      const blobs = await open();
      const bytes = randomBytes(size);
      await blobs.put(key, pieces(bytes, 65_536));
      assert.ok((await blobs.read(key)).equals(bytes));
    });
  }

  test('a source that throws after whole parts were sent leaves no part behind', async () => {
    const url = await server().bucket();
    const blobs = await open({ url });
    const cut = new Error('connection cut');
    let begun = 0;
    const source = async function* () {
      for (let megabyte = 0; megabyte < 3 * 9; megabyte++) yield randomBytes(2 ** 20);
      begun = await unfinished(url);
      throw cut;
    };
    await assert.rejects(blobs.put(key, source()), (error) => error === cut);
    assert.equal(begun, 1, 'there was something to leave behind');
    assert.equal(await unfinished(url), 0);
    await assert.rejects(blobs.read(key), BlobMissing);
  });

  test('prepare finds a bucket that can be written to and leaves nothing in it', async () => {
    const url = await server().bucket();
    const blobs = await open({ url: `${url}/a/b/` });
    await blobs.prepare();
    assert.equal(await unfinished(url), 0);
    assert.deepEqual(await keysOf(await open({ url })), []);
  });

  test('stores with different prefixes in one bucket do not see each other', async () => {
    const bucket = await server().bucket();
    const [one, other] = [await open({ url: `${bucket}/img` }), await open({ url: `${bucket}/img-2/` })];
    await one.put('a.jpg', pieces(Buffer.from('one')));
    await other.put('a.jpg', pieces(Buffer.from('other')));
    await other.put('b.jpg', pieces(Buffer.from('other')));
    assert.deepEqual([await keysOf(one), await keysOf(other)], [['a.jpg'], ['a.jpg', 'b.jpg']]);
    assert.equal((await one.read('a.jpg')).toString(), 'one');
    await assert.rejects(one.read('b.jpg'), BlobMissing);
    await one.remove('a.jpg');
    assert.deepEqual(await keysOf(other), ['a.jpg', 'b.jpg']);
    assert.deepEqual(await keysOf(await open({ url: bucket })), ['img-2/a.jpg', 'img-2/b.jpg']);
  });

  test('a listing of more than one page has every key once, in order', async () => {
    const url = await server().bucket();
    const keys = Array.from({ length: 2_100 }, (_, n) => `2026/${n % 7}/${String(n).padStart(5, '0')}.jpg`);
    for (const one of keys) {
      const file = join(server().dir, new URL(url).host, 'images', one);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, '');
    }
    const blobs = await open({ url: `${url}/images` });
    assert.deepEqual(await keysOf(blobs), keys.toSorted());
    assert.deepEqual(
      await keysOf(blobs, '2026/3/'),
      keys.filter((one) => one.startsWith('2026/3/')).toSorted(),
    );
  });

  test('list leaves out what no key leads to', async () => {
    const url = await server().bucket();
    const blobs = await open({ url });
    await blobs.put(key, pieces(Buffer.from('1')));
    const bucket = join(server().dir, new URL(url).host);
    for (const name of ['.hidden', 'with space', '2026/ä.jpg']) await writeFile(join(bucket, name), '');
    assert.deepEqual(await keysOf(blobs), [key]);
  });

  test('bytes that have changed in the storage are not passed for the picture', async () => {
    const url = await server().bucket();
    const blobs = await open({ url });
    await blobs.put(key, pieces(randomBytes(100_000)));
    const file = join(server().dir, new URL(url).host, key);
    const bytes = await readFile(file);
    bytes[50_000] = (bytes[50_000] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await assert.rejects(blobs.read(key), { code: 'blobs-unavailable' });
    await assert.rejects(async () => (await blobs.open(key)).stream.toArray(), { code: 'blobs-unavailable' });
  });

  test('what is no S3 URL is refused in one line without its password', () => {
    for (const url of [
      's3://',
      's3:///prefix',
      'http://bucket',
      's3://user:sesame@bucket',
      's3://bucket/a b',
      's3://bucket/.hidden',
      's3://bucket?a=sesame',
    ]) {
      assert.throws(
        () => s3Blobs({ url, region: 'us-east-1' }),
        ({ code, message }) => code === 'blobs-unavailable' && !/sesame|\n/.test(message),
        url,
      );
    }
  });
});
