import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { fixture } from './pictures.testing.ts';
import { type TurboJpeg, turboJpeg } from './turbojpeg.ts';

const here = turboJpeg === undefined && 'libjpeg-turbo cannot be called on this platform';

suite('libjpeg-turbo', { skip: here }, () => {
  const turbo = turboJpeg as TurboJpeg;
  const dog = fixture('dogs/golden_retriever.jpg');
  const whole = { width: 512, height: 512 };
  const written = (options: object, change = (picture: Sharp) => picture) =>
    change(sharp(dog)).jpeg(options).toBuffer();

  test("decodes to sharp's pixels", async () => {
    for (const bytes of [
      dog,
      await written({ progressive: true }),
      await written({ chromaSubsampling: '4:4:4' }),
      await written({}, (picture) => picture.extract({ left: 0, top: 0, width: 301, height: 77 })),
      await written({}, (picture) => picture.grayscale().toColourspace('b-w')),
    ]) {
      // In the middle of other bytes, as a part of a larger buffer is.
      const inside = Buffer.concat([Buffer.alloc(13, 0xff), bytes, Buffer.alloc(7, 0xff)]);
      const part = inside.subarray(13, 13 + bytes.length);
      const size = turbo.plainSize(part);
      assert.ok(size);
      using decoded = turbo.decode(part, size);
      const { data, info } = await sharp(bytes)
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      assert.deepEqual([decoded?.width, decoded?.height], [info.width, info.height]);
      assert.equal(Buffer.compare(decoded?.data ?? Buffer.alloc(0), data), 0);
    }
  });

  test('shrinks while decoding, but never below what is asked for', () => {
    for (const [side, expected] of [
      [513, 512],
      [257, 512],
      [256, 256],
      [129, 256],
      [128, 128],
      [64, 64],
      [1, 64],
    ] as const) {
      using decoded = turbo.decode(dog, { width: side, height: side });
      assert.deepEqual([decoded?.width, decoded?.height], [expected, expected], `at least ${side}`);
    }
  });

  test('gives pixels that stay until they are disposed of', () => {
    using first = turbo.decode(dog, whole);
    const before = Buffer.from(first?.data ?? []);
    using second = turbo.decode(fixture('cats/tabby_lying.jpg'), { width: 64, height: 64 });
    assert.ok(first && second);
    assert.equal(Buffer.compare(before, first.data), 0);
  });

  test('leaves to sharp what may be turned, coloured otherwise, or is no JPEG', async () => {
    for (const bytes of [
      fixture('odd/dog_exif_orientation6.jpg'),
      fixture('odd/dog_cmyk.jpg'),
      await written({}, (picture) => picture.withIccProfile('p3')),
      await written({}, (picture) => picture.withExif({ IFD0: { Copyright: 'nobody' } })),
      Buffer.concat([dog.subarray(0, 2), Buffer.from([0xff]), dog.subarray(2)]),
      fixture('cats/chelsea.png'),
      dog.subarray(0, 100),
      dog.subarray(0, 2),
      Buffer.alloc(0),
      Buffer.from('hello'),
    ])
      assert.equal(turbo.plainSize(bytes), undefined);
  });

  test('decodes nothing of which a part is missing or damaged', () => {
    const damaged = Buffer.from(dog);
    damaged.fill(0x55, dog.length / 2, dog.length / 2 + 200);
    for (const bytes of [
      damaged,
      dog.subarray(0, dog.length / 2),
      dog.subarray(0, -2),
      fixture('odd/dog_truncated.jpg'),
    ]) {
      assert.ok(turbo.plainSize(bytes));
      assert.equal(turbo.decode(bytes, whole), undefined);
    }
    using again = turbo.decode(dog, whole);
    assert.ok(again, 'works after failures');
  });

  test('writes a JPEG of the pixels', async () => {
    const { data, info } = await sharp(dog).resize(255, 100).raw().toBuffer({ resolveWithObject: true });
    const jpeg = turbo.encode({ data, width: info.width, height: info.height }, 75);
    const read = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([read.info.width, read.info.height], [255, 100]);
    const { chromaSubsampling } = await sharp(jpeg).metadata();
    assert.equal(chromaSubsampling, '4:2:0');
    const sum = data.reduce((total, value, at) => total + Math.abs(value - (read.data[at] ?? 0)), 0);
    assert.ok(sum / data.length < 6, `differs by ${sum / data.length} of 255 on average`);
    const coarse = turbo.encode({ data, width: info.width, height: info.height }, 25);
    assert.ok(coarse.length < jpeg.length);
  });
});

test('without it, sharp prepares the same pictures', () => {
  const files = ['preprocess.test.ts', 'decode.test.ts'].map((name) => join(import.meta.dirname, name));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--no-experimental-ffi', '--test', ...files], {
    encoding: 'utf8',
    env,
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /pass [1-9]/);
});
