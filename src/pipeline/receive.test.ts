import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import { displayName, receive } from './receive.ts';

const fixture = (path: string) => readFile(new URL(`../../test/fixtures/${path}`, import.meta.url));

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const open = async (maxFileBytes = 50_000_000) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-receive-'));
  const blobs = filesystemBlobs(dir);
  const files = async () =>
    (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return { blobs, files, context: { blobs, maxFileBytes, pipeline: 'pets' } };
};

for (const [path, contentType, ending] of [
  ['cats/chelsea.png', 'image/png', 'png'],
  ['dogs/golden_retriever.jpg', 'image/jpeg', 'jpg'],
  ['odd/cat.avif', 'image/avif', 'avif'],
  ['odd/dog_then_cat_multipage.tiff', 'image/tiff', 'tiff'],
  ['odd/dog_then_cat_animated.gif', 'image/gif', 'gif'],
  ['others/cow.webp', 'image/webp', 'webp'],
] as const) {
  test(`${path} is stored as it came, in chunks of any size`, async () => {
    const { context, blobs } = await open();
    const bytes = await fixture(path);
    for (const size of [1000, 4100, 65_536]) {
      const received = await receive(context, chunks(bytes, size), '../x');
      assert.ok(received.kind === 'received');
      const { image } = received;
      assert.equal(image.contentType, contentType);
      assert.match(image.blob, new RegExp(`^\\d{4}/\\d\\d/\\d\\d/${image.id}\\.${ending}$`));
      assert.equal(image.bytes, bytes.length);
      assert.equal(image.sha256, createHash('sha256').update(bytes).digest('hex'));
      assert.equal(image.filename, 'x');
      assert.deepEqual(await blobs.read(image.blob), bytes);
    }
  });
}

test('the limit is exact, and nothing above it is kept', async () => {
  const bytes = await fixture('cats/chelsea.png');
  const fits = await open(bytes.length);
  assert.equal((await receive(fits.context, chunks(bytes, 5000), 'a')).kind, 'received');
  const tooSmall = await open(bytes.length - 1);
  const refused = await receive(tooSmall.context, chunks(bytes, 5000), 'a');
  assert.ok(refused.kind === 'refused');
  assert.equal(refused.code, 'file-too-large');
  assert.deepEqual(await tooSmall.files(), []);
});

test('a refused source is read to its end: what is behind it in the request must come', async () => {
  const { context, files } = await open(10_000);
  for (const bytes of [await fixture('cats/chelsea.png'), Buffer.alloc(200_000, 'text ')]) {
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* chunks(bytes, 5000);
      ended = true;
    }
    assert.equal((await receive(context, source(), 'a')).kind, 'refused');
    assert.ok(ended);
  }
  assert.deepEqual(await files(), []);
});

test('a source that breaks off leaves nothing, and its error is thrown on', async () => {
  const { context, files } = await open();
  const bytes = await fixture('cats/chelsea.png');
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 20_000);
    throw new Error('connection reset');
  }
  await assert.rejects(receive(context, broken(), 'a'), /connection reset/);
  assert.deepEqual(await files(), []);
});

test('names are made safe to show', () => {
  assert.equal(displayName(undefined), 'unnamed');
  assert.equal(displayName('  '), 'unnamed');
  assert.equal(displayName('/a/b/c.png'), 'c.png');
  assert.equal(displayName('a\u202eb\u0000c\n.png'), 'abc.png');
  assert.equal(displayName('\ud800x'), '\ufffdx');
  assert.equal([...displayName('🐈'.repeat(300))].length, 255);
});
