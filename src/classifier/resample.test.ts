import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { fixture } from './pictures.testing.ts';
import { type Pixels, resample } from './resample.ts';

const pixelsOf = async (picture: Sharp): Promise<Pixels> => {
  const { data, info } = await picture.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
};
const all = (size: { width: number; height: number }) => ({ ...size, left: 0, top: 0 });
const difference = (a: Uint8Array, b: Uint8Array) => {
  assert.equal(a.length, b.length);
  return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / a.length;
};

suite('resampling', () => {
  const dog = () => sharp(fixture('dogs/golden_retriever.jpg'));

  test("is libvips' where it shrinks, with every kernel", async () => {
    const pixels = await pixelsOf(dog());
    for (const kernel of ['cubic', 'linear', 'lanczos3'] as const)
      for (const [width, height] of [
        [297, 297],
        [300, 171],
        [33, 500],
        [70, 30],
      ] as const) {
        const size = { width, height };
        const expected = await pixelsOf(
          dog().resize({ ...size, fit: 'fill', kernel, fastShrinkOnLoad: false }),
        );
        const made = resample(pixels, size, all(size), kernel);
        const by = difference(made.data, expected.data);
        assert.ok(by < 1.2, `${kernel} to ${width}x${height} differs by ${by} of 255 on average`);
      }
  });

  test('cuts out what a cut of the whole would be', async () => {
    const pixels = await pixelsOf(dog());
    const size = { width: 397, height: 301 };
    const crop = { left: 69, top: 21, width: 261, height: 259 };
    const whole = resample(pixels, size, all(size), 'cubic');
    const cut = resample(pixels, size, crop, 'cubic');
    const raw = sharp(whole.data, { raw: { ...size, channels: 3 } });
    const expected = await raw.extract(crop).raw().toBuffer();
    assert.equal(Buffer.compare(cut.data, expected), 0);
  });

  test('to the same size changes nothing', async () => {
    const pixels = await pixelsOf(dog());
    for (const kernel of ['nearest', 'cubic', 'linear', 'lanczos3'] as const) {
      const { data } = resample(pixels, pixels, all(pixels), kernel);
      assert.equal(Buffer.compare(data, pixels.data), 0, kernel);
    }
  });

  test('keeps one colour, whatever the sizes, up to the edges', () => {
    for (const kernel of ['nearest', 'cubic', 'linear', 'lanczos3'] as const)
      for (const [width, height, toWidth, toHeight] of [
        [1, 1, 5, 4],
        [1, 300, 297, 8],
        [301, 2, 40, 41],
        [3000, 20, 100, 1],
        [17, 19, 16, 20],
      ] as const) {
        const data = new Uint8Array(width * height * 3).map((_, at) => [255, 128, 0][at % 3] ?? 0);
        const size = { width: toWidth, height: toHeight };
        const made = resample({ data, width, height }, size, all(size), kernel);
        assert.equal(made.data.length, toWidth * toHeight * 3);
        const wrong = made.data.findIndex((value, at) => value !== [255, 128, 0][at % 3]);
        assert.equal(wrong, -1, `${kernel} ${width}x${height} to ${toWidth}x${toHeight}`);
      }
  });

  test('nearest takes the pixel at the middle', () => {
    const data = Uint8Array.from([10, 20, 30, 40, 50, 60].flatMap((value) => [value, value, value]));
    const size = { width: 2, height: 1 };
    const { data: made } = resample({ data, width: 6, height: 1 }, size, all(size), 'nearest');
    assert.deepEqual([...made], [20, 20, 20, 50, 50, 50]);
  });

  test('enlarges in the middle between pixels as linear interpolation does', () => {
    const data = Uint8Array.from([0, 0, 0, 100, 100, 100]);
    const size = { width: 4, height: 1 };
    const { data: made } = resample({ data, width: 2, height: 1 }, size, all(size), 'linear');
    assert.deepEqual(
      [...made].filter((_, at) => at % 3 === 0),
      [0, 25, 75, 100],
    );
  });

  test('gives the same however often', async () => {
    const pixels = await pixelsOf(dog());
    const size = { width: 64, height: 64 };
    const first = resample(pixels, size, all(size), 'cubic');
    for (let n = 0; n < 50; n++) {
      const again = resample(pixels, size, all(size), 'cubic');
      assert.equal(Buffer.compare(again.data, first.data), 0);
    }
  });
});
