import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { BlobMissing, type Blobs } from './blobs.ts';

export interface OpenBlobs {
  readonly blobs: Blobs;
  /** Removes everything the test stored. */
  dispose(): Promise<void>;
}

const key = '2026/11/23/0199-a.jpg';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The bytes in pieces of these sizes, over and over. */
export async function* pieces(bytes: Uint8Array, ...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let offset = 0, turn = 0; offset < bytes.byteLength; turn += 1) {
    const end = offset + (sizes[turn % sizes.length] ?? bytes.byteLength);
    yield bytes.subarray(offset, end);
    offset = end;
  }
}

export const keysOf = async (blobs: Blobs, prefix = ''): Promise<string[]> => {
  const keys: string[] = [];
  for await (const one of blobs.list(prefix)) keys.push(one);
  return keys;
};

/** Every blob store does this. `open` gives an empty one; `skip` says why it cannot run here. */
export const blobsContract = (
  name: string,
  open: () => Promise<OpenBlobs>,
  skip: string | false = false,
): void => {
  const check = (what: string, run: (blobs: Blobs) => Promise<void>) =>
    test(what, async () => {
      const { blobs, dispose } = await open();
      try {
        await run(blobs);
      } finally {
        await dispose();
      }
    });

  suite(`blobs contract: ${name}`, { skip }, () => {
    for (const [size, sizes] of [
      [0, [1]],
      [1, [1]],
      [20_000_000, [1, 4_095, 65_537, 1_000_003, 0, 7]],
    ] as const) {
      check(`${size} bytes come back as they were, read whole and as a stream`, async (blobs) => {
        const bytes = randomBytes(size);
        await blobs.put(key, pieces(bytes, ...sizes));
        assert.equal(sha256(await blobs.read(key)), sha256(bytes));
        const opened = await blobs.open(key);
        assert.equal(opened.bytes, size);
        assert.equal(sha256(Buffer.concat(await opened.stream.toArray())), sha256(bytes));
      });
    }

    check('a stream that is given up early is let go', async (blobs) => {
      await blobs.put(key, pieces(randomBytes(1_000_000)));
      const { stream } = await blobs.open(key);
      for await (const _ of stream) break;
      assert.equal(stream.destroyed, true);
      await blobs.remove(key);
    });

    check('nothing is visible while the source still gives', async (blobs) => {
      const asked = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const source = async function* () {
        yield randomBytes(100_000);
        asked.resolve();
        await gate.promise;
        yield Buffer.from('end');
      };
      const putting = blobs.put(key, source());
      await asked.promise;
      await assert.rejects(blobs.read(key), BlobMissing);
      assert.deepEqual(await keysOf(blobs), []);
      gate.resolve();
      await putting;
      assert.equal((await blobs.read(key)).byteLength, 100_003);
      assert.deepEqual(await keysOf(blobs), [key]);
    });

    check('a source that throws leaves nothing, and its error is thrown on', async (blobs) => {
      const cut = new Error('connection cut');
      const source = async function* () {
        yield randomBytes(100_000);
        throw cut;
      };
      await assert.rejects(blobs.put(key, source()), (error) => error === cut);
      await assert.rejects(blobs.read(key), BlobMissing);
      assert.deepEqual(await keysOf(blobs), []);
    });

    check('a source that throws leaves an older blob of that key as it was', async (blobs) => {
      await blobs.put(key, pieces(Buffer.from('old')));
      const source = async function* () {
        yield Buffer.from('new');
        throw new Error('connection cut');
      };
      await assert.rejects(blobs.put(key, source()), /connection cut/);
      assert.equal((await blobs.read(key)).toString(), 'old');
    });

    check('a missing blob is told as such', async (blobs) => {
      const missing = { name: 'Error', code: 'blob-missing', message: `no blob ${key}` };
      await assert.rejects(blobs.read(key), missing);
      await assert.rejects(blobs.open(key), missing);
      await blobs.put(key, pieces(Buffer.from('1')));
      await assert.rejects(blobs.read('2026/11/23/0199'), BlobMissing);
      await assert.rejects(blobs.read('2026/11'), BlobMissing);
      await assert.rejects(blobs.open('2026/11'), BlobMissing);
    });

    check('remove removes; a second time nothing happens', async (blobs) => {
      const neighbour = '2026/11/23/0199-b.jpg';
      await blobs.put(key, pieces(Buffer.from('1')));
      await blobs.put(neighbour, pieces(Buffer.from('2')));
      await blobs.remove(key);
      await assert.rejects(blobs.read(key), BlobMissing);
      await blobs.remove(key);
      await blobs.remove('2031/01/01/never.jpg');
      await blobs.remove('2026/11');
      assert.deepEqual(await keysOf(blobs), [neighbour]);
    });

    check('list gives the keys that begin with a prefix, in order', async (blobs) => {
      const keys = [
        '2025/12/31/z.jpg',
        '2026/1/a.png',
        '2026/1-b',
        '2026/1.webp',
        '2026/10/01/a.jpg',
        'a',
        'a0/b',
      ];
      for (const one of keys) await blobs.put(one, pieces(Buffer.from(one)));
      const sorted = [...keys].sort();
      assert.deepEqual(await keysOf(blobs), sorted);
      for (const prefix of [
        '2026/1',
        '2026/1/',
        '2026/10/01/a.jpg',
        'a',
        '20',
        '2026/10/01/a.jpg/',
        '3',
        '../',
        '/',
      ]) {
        const expected = sorted.filter((one) => one.startsWith(prefix));
        assert.deepEqual(await keysOf(blobs, prefix), expected, prefix);
      }
    });

    check('a listing can be left half-way', async (blobs) => {
      for (const one of ['a', 'b', 'c']) await blobs.put(one, pieces(Buffer.from(one)));
      for await (const one of blobs.list('')) {
        assert.equal(one, 'a');
        break;
      }
      assert.deepEqual(await keysOf(blobs), ['a', 'b', 'c']);
    });

    check('50 blobs stored at once, on two days', async (blobs) => {
      const entries = Array.from({ length: 50 }, (_, index) => ({
        key: `2026/11/${20 + (index % 2)}/${String(index).padStart(2, '0')}.jpg`,
        bytes: randomBytes(1 + index * 997),
      }));
      await Promise.all(entries.map((entry) => blobs.put(entry.key, pieces(entry.bytes, 1_000, 13))));
      for (const entry of entries) assert.equal(sha256(await blobs.read(entry.key)), sha256(entry.bytes));
      assert.deepEqual(await keysOf(blobs), entries.map((entry) => entry.key).sort());
    });

    check('the last of two puts of the same key wins as a whole', async (blobs) => {
      await blobs.put(key, pieces(randomBytes(100_000)));
      await blobs.put(key, pieces(Buffer.from('short')));
      assert.equal((await blobs.read(key)).toString(), 'short');
      const both = [randomBytes(200_000), randomBytes(150_000)];
      await Promise.all(both.map((bytes) => blobs.put(key, pieces(bytes, 10_007))));
      const survivor = sha256(await blobs.read(key));
      assert.ok(both.map(sha256).includes(survivor));
    });

    check('a key that leads elsewhere is refused', async (blobs) => {
      const bad = [
        '',
        '/etc/passwd',
        '../a',
        'a/../b',
        'a/./b',
        'a//b',
        'a/',
        'a\0b',
        'a\\b',
        '.tmp/a',
        'ä',
        'a b',
      ];
      for (const one of [...bad, `${'a/'.repeat(300)}a`, 'a'.repeat(200)]) {
        const refused = { code: 'invalid-blob-key' };
        await assert.rejects(blobs.put(one, pieces(Buffer.from('1'))), refused, one);
        await assert.rejects(blobs.read(one), refused, one);
        await assert.rejects(blobs.open(one), refused, one);
        await assert.rejects(blobs.remove(one), refused, one);
      }
      assert.deepEqual(await keysOf(blobs), []);
    });

    check('free space is a number of bytes, or unknown', async (blobs) => {
      const free = await blobs.freeBytes();
      assert.ok(free === undefined || free > 0);
    });
  });
};
