import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import sharp from 'sharp';
import {
  chunk,
  created,
  fixture,
  maxPixels,
  middle,
  near,
  plain,
  pngOf,
  prepared,
} from './pictures.testing.ts';
import { preprocess } from './preprocess.ts';

const refusal = async (bytes: Uint8Array, contentType?: string) => {
  const outcome = await preprocess(plain, bytes, { maxPixels, ...(contentType ? { contentType } : {}) });
  assert.equal(outcome.kind, 'refused');
  if (outcome.kind !== 'refused') throw new Error();
  assert.doesNotMatch(outcome.error.message, /\n/);
  return outcome.error;
};
suite('pictures that a decoder might choke on', () => {
  test('one pixel, and the smallest strips', async () => {
    for (const [width, height] of [
      [1, 1],
      [2, 1],
      [1, 9],
      [300, 1],
    ] as const) {
      const picture = await prepared(await created(width, height, '#0f0').png().toBuffer());
      assert.deepEqual([picture.width, picture.height], [width, height]);
      near(middle(picture), [0, 255, 0], 1);
    }
  });

  test('a strip of 70,000 pixels is cut in its middle and takes no memory', async () => {
    const before = process.resourceUsage().maxRSS;
    for (const [width, height] of [
      [70_000, 1],
      [70_001, 3],
      [1, 70_000],
      [40_000, 1000],
    ] as const) {
      const picture = await prepared(pngOf(width, height));
      assert.deepEqual([picture.width, picture.height], [width, height]);
      near(middle(picture), [0, 0, 0], 0);
    }
    const grownMb = (process.resourceUsage().maxRSS - before) / 1024;
    assert.ok(grownMb < 250, `grew by ${grownMb} MB`);
  });

  test('the middle of a strip is the middle of the picture, also when turned', async () => {
    // 2000x10: red but for a green middle 20 pixels wide.
    const strip = await created(2000, 10, '#f00')
      .composite([{ input: await created(20, 10, '#0f0').png().toBuffer(), left: 990, top: 0 }])
      .png()
      .toBuffer();
    const turned = await sharp(strip).withMetadata({ orientation: 6 }).png().toBuffer();
    const tall = await sharp(strip).rotate(90).png().toBuffer();
    for (const bytes of [strip, turned, tall]) near(middle(await prepared(bytes)), [0, 255, 0], 1);
    assert.equal((await prepared(turned)).height, 2000);
  });

  test('a bomb is refused by its header, naming size and limit', async () => {
    const before = process.resourceUsage().maxRSS;
    const error = await refusal(pngOf(20_000, 10_000));
    assert.equal(error.code, 'too-many-pixels');
    assert.match(error.message, /20000x10000.*50000000/);
    const gif = Buffer.from('474946383961ffffffff800000000000ffffff2c00000000ffffffff0002024401003b', 'hex');
    assert.equal((await refusal(gif)).code, 'too-many-pixels');
    assert.equal((await refusal(fixture('odd/decompression_bomb.gif'))).code, 'undecodable');
    const grownMb = (process.resourceUsage().maxRSS - before) / 1024;
    assert.ok(grownMb < 100, `grew by ${grownMb} MB`);
  });

  test('exactly the limit is allowed', async () => {
    const bytes = await created(100, 50, '#fff').png().toBuffer();
    assert.equal((await preprocess(plain, bytes, { maxPixels: 5000 })).kind, 'prepared');
    assert.equal((await preprocess(plain, bytes, { maxPixels: 4999 })).kind, 'refused');
  });
});

suite('no pictures', () => {
  test('are refused with a reason', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';
    const pdf = '%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer <<>>\n%%EOF';
    const vips = await created(4, 4, '#fff').raw().toBuffer();
    assert.deepEqual(await refusal(Buffer.alloc(0)), { code: 'undecodable', message: 'the file is empty' });
    for (const bytes of [
      Buffer.from('hello'),
      Buffer.from(svg),
      Buffer.from(pdf),
      Buffer.from('P3 1 1 255 1 1 1'),
      vips,
    ])
      assert.equal((await refusal(bytes)).code, 'unsupported');
    const heic = await refusal(fixture('odd/cat.heic'));
    assert.equal(heic.code, 'unsupported');
    assert.match(heic.message, /HEIC/);
    assert.equal((await refusal(Buffer.from('II*\0junk'), 'image/tiff')).code, 'undecodable');
  });

  test('truncated pictures of every format are refused, wherever they end', async () => {
    const dog = sharp(fixture('dogs/golden_retriever.jpg'));
    for (const bytes of [
      await dog.clone().jpeg().toBuffer(),
      await dog.clone().jpeg({ progressive: true }).toBuffer(),
      await dog.clone().png().toBuffer(),
      await dog.clone().webp().toBuffer(),
      await dog.clone().resize(200).gif().toBuffer(),
      await dog.clone().resize(200).tiff().toBuffer(),
      await dog.clone().resize(200).avif({ effort: 0 }).toBuffer(),
    ]) {
      for (const part of [0.03, 0.5, 0.9, 0.98]) {
        const { code } = await refusal(bytes.subarray(0, bytes.length * part), 'image/jpeg');
        assert.equal(code, 'undecodable', `${part} of ${bytes.subarray(0, 12).toString('latin1')}`);
      }
    }
  });

  test('harmless faults that cameras and editors leave are forgiven', async () => {
    const jpeg = fixture('dogs/golden_retriever.jpg');
    const png = fixture('cats/chelsea.png');
    const comment = chunk('tEXt', Buffer.from('wrong checksum'));
    comment.writeUInt8(comment.readUInt8(comment.length - 1) ^ 1, comment.length - 1);
    for (const bytes of [
      Buffer.concat([jpeg, Buffer.from('PK\x03\x04 a polyglot')]),
      Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0x11, 0x22, 0x33]), jpeg.subarray(2)]),
      Buffer.concat([jpeg.subarray(0, -2), Buffer.alloc(40, 0x11), jpeg.subarray(-2)]),
      Buffer.concat([
        jpeg.subarray(0, 2),
        Buffer.from('\xff\xe1\0\x0cExif\0\0junk', 'latin1'),
        jpeg.subarray(2),
      ]),
      Buffer.concat([png.subarray(0, 33), comment, png.subarray(33)]),
    ])
      await prepared(bytes);
  });
});
