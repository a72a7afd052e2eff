import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Manifest } from './manifest-schema.ts';
import { type Prepared, preprocess } from './preprocess.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const fixture = (name: string) => readFileSync(join(fixtures, name));

type Model = Pick<Manifest, 'input' | 'preprocess'>;
/** As most ImageNet networks want it; a tensor then holds plain 0 … 255 values. */
const plain: Model = {
  input: { name: 'input', type: 'float32', layout: 'NCHW', shape: ['batch', 3, 260, 260], channels: 'RGB' },
  preprocess: {
    resize: { shorterSide: 297, kernel: 'cubic' },
    crop: { width: 260, height: 260, gravity: 'centre' },
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
};
const sized = (side: number, shorterSide: number): Model => ({
  input: { ...plain.input, shape: ['batch', 3, side, side] },
  preprocess: {
    ...plain.preprocess,
    resize: { shorterSide, kernel: 'cubic' },
    crop: { width: side, height: side, gravity: 'centre' },
  },
});

const maxPixels = 50e6;
const prepared = async (bytes: Uint8Array, model = plain): Promise<Prepared> => {
  const outcome = await preprocess(model, bytes, { maxPixels });
  assert.equal(outcome.kind, 'prepared', JSON.stringify(outcome));
  return outcome as Prepared;
};
const refusal = async (bytes: Uint8Array, contentType?: string) => {
  const outcome = await preprocess(plain, bytes, { maxPixels, ...(contentType ? { contentType } : {}) });
  assert.equal(outcome.kind, 'refused');
  if (outcome.kind !== 'refused') throw new Error();
  assert.doesNotMatch(outcome.error.message, /\n/);
  return outcome.error;
};
const created = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } });
/** Red, green and blue in the middle of the model's picture. */
const middle = ({ tensor }: Prepared, side = 260): number[] =>
  [0, 1, 2].map((channel) => Math.round(tensor[(channel + 0.5) * side * side + side / 2] ?? Number.NaN));
const near = (actual: number[], expected: number[], tolerance: number) =>
  assert.ok(
    actual.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) <= tolerance),
    `${actual} is not about ${expected}`,
  );

const chunk = (type: string, data: Buffer) => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
};
/** A black one-bit PNG: 200 megapixels in some 25 KB. */
const pngOf = (width: number, height: number) => {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([magic, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
};

/** Bicubic with antialiasing over one axis, straight from its definition (Pillow's BICUBIC, a = -0.5). */
const bicubicRows = (from: Float64Array, length: number, stride: number, lines: number, to: number) => {
  const out = new Float64Array(to * lines * 3);
  const scale = Math.max(1, length / to);
  const weight = (distance: number) => {
    const x = Math.abs(distance);
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  };
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * length) / to;
    const first = Math.max(0, Math.floor(centre - 2 * scale));
    const last = Math.min(length - 1, Math.ceil(centre + 2 * scale));
    const weights = Array.from({ length: last - first + 1 }, (_, k) =>
      weight((first + k + 0.5 - centre) / scale),
    );
    const sum = weights.reduce((total, one) => total + one, 0);
    for (let line = 0; line < lines; line++) {
      for (let channel = 0; channel < 3; channel++) {
        let value = 0;
        for (const [k, w] of weights.entries())
          value += w * (from[((first + k) * stride + line * (stride === 1 ? length : 1)) * 3 + channel] ?? 0);
        const at = stride === 1 ? line * to + i : i * lines + line;
        out[at * 3 + channel] = Math.min(255, Math.max(0, value / sum));
      }
    }
  }
  return out;
};
/** Resize and centre crop as torchvision does them, from a full decode. */
const reference = async (bytes: Buffer) => {
  const { data, info } = await sharp(bytes, { pages: 1, autoOrient: true })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const short = Math.min(width, height);
  const w = Math.trunc((297 * width) / short);
  const h = Math.trunc((297 * height) / short);
  const across = bicubicRows(Float64Array.from(data), width, 1, height, w);
  const resized = bicubicRows(across, height, w, w, h);
  // Python's round(18.5) is 18.
  const [left, top] = [w, h].map((side) => Math.trunc((side - 260) / 2));
  return (channel: number, y: number, x: number) =>
    resized[((y + (top ?? 0)) * w + x + (left ?? 0)) * 3 + channel] ?? 0;
};

suite('what the model sees', () => {
  const pictures = ['cats', 'dogs', 'others', 'odd'].flatMap((folder) =>
    readdirSync(join(fixtures, folder)).map((name) => `${folder}/${name}`),
  );
  const bad = ['odd/cat.heic', 'odd/decompression_bomb.gif', 'odd/dog_truncated.jpg'];

  for (const name of pictures.filter((one) => !bad.includes(one))) {
    test(`is what a plain resize and crop make of ${name}`, async () => {
      const bytes = fixture(name);
      const { tensor, width, height, thumbnail } = await prepared(bytes);
      const expected = await reference(bytes);
      const difference = (shift: number) => {
        let sum = 0;
        for (let channel = 0; channel < 3; channel++)
          for (let y = 0; y < 260; y++)
            for (let x = 0; x < 259; x++)
              sum += Math.abs((tensor[(channel * 260 + y) * 260 + x] ?? 0) - expected(channel, y, x + shift));
        return sum / (3 * 260 * 259);
      };
      const exact = difference(0);
      // libvips enlarges small pictures up to half a pixel beside the definition, and shrinks exactly.
      const enlarged = Math.min(width, height) < 297;
      assert.ok(exact < (enlarged ? 6 : 3), `differs by ${exact} of 255 on average`);
      assert.ok(enlarged || exact < difference(1), 'the crop is not shifted');
      const small = await sharp(thumbnail).metadata();
      assert.equal(small.format, 'webp');
      assert.ok(thumbnail.length <= 16 * 1024);
      assert.equal(Math.max(small.width, small.height), Math.min(256, Math.max(width, height)));
      assert.ok(Math.abs(small.width / small.height - width / height) < 0.02);
    });
  }

  test('is upright, and so are the sizes told', async () => {
    const { width, height } = await prepared(fixture('odd/dog_exif_orientation6.jpg'));
    assert.deepEqual([width, height], [480, 360]);
  });

  test('is 8-bit sRGB on white, whatever the file holds', async () => {
    const red = created(300, 300, '#f00');
    const clear = sharp({
      create: { width: 300, height: 300, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
    });
    for (const [name, bytes, expected, tolerance] of [
      ['JPEG', await red.clone().jpeg({ quality: 95 }).toBuffer(), [255, 0, 0], 3],
      ['progressive JPEG', await red.clone().jpeg({ progressive: true }).toBuffer(), [255, 0, 0], 3],
      ['palette', await red.clone().png({ palette: true }).toBuffer(), [255, 0, 0], 1],
      ['16 bits', await red.clone().toColourspace('rgb16').png().toBuffer(), [255, 0, 0], 1],
      ['CMYK', await red.clone().toColourspace('cmyk').jpeg().toBuffer(), [235, 15, 20], 25],
      ['transparent', await clear.clone().png().toBuffer(), [255, 255, 255], 0],
      ['transparent palette', await clear.clone().png({ palette: true }).toBuffer(), [255, 255, 255], 0],
      ['transparent WebP', await clear.clone().webp().toBuffer(), [255, 255, 255], 0],
      ['grey', await created(300, 300, '#808080').toColourspace('b-w').png().toBuffer(), [128, 128, 128], 1],
    ] as const) {
      const picture = await prepared(bytes);
      near(middle(picture), [...expected], tolerance);
      const thumbnail = await sharp(picture.thumbnail).removeAlpha().raw().toBuffer();
      near([...thumbnail.subarray(0, 3)], [...expected], tolerance + 8);
      assert.ok(name);
    }
  });

  test('follows layout, channel order, mean, std and type', async () => {
    const orange = await created(20, 20, '#ff8000').png().toBuffer();
    const { input, preprocess: steps } = sized(2, 2);
    const normalised = { ...steps, mean: [10, 20, 30], std: [2, 4, 5] } as Model['preprocess'];
    const bgr = await prepared(orange, { input: { ...input, channels: 'BGR' }, preprocess: normalised });
    assert.deepEqual([...bgr.tensor], [-5, -5, -5, -5, 27, 27, 27, 27, 45, 45, 45, 45]);
    const nhwc = { ...input, layout: 'NHWC', shape: ['batch', 2, 2, 3], type: 'uint8' } as Model['input'];
    const { tensor } = await prepared(orange, { input: nhwc, preprocess: steps });
    assert.ok(tensor instanceof Uint8Array);
    assert.deepEqual([...tensor], [255, 128, 0, 255, 128, 0, 255, 128, 0, 255, 128, 0]);
  });

  test('comes with a useful thumbnail even if the model is tiny', async () => {
    const { thumbnail, tensor } = await prepared(fixture('others/cow.webp'), sized(8, 8));
    assert.equal(tensor.length, 192);
    assert.deepEqual((await sharp(thumbnail).metadata()).width, 256);
  });

  test('thumbnails of noise are small files, too', async () => {
    const noise = sharp({
      create: {
        width: 600,
        height: 600,
        channels: 3,
        background: '#888',
        noise: { type: 'gaussian', mean: 128, sigma: 100 },
      },
    });
    const { thumbnail } = await prepared(await noise.png().toBuffer());
    assert.ok(thumbnail.length <= 16 * 1024, `${thumbnail.length}`);
  });
});

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
