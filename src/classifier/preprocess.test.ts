import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import sharp from 'sharp';
import {
  created,
  fixture,
  fixtures,
  type Model,
  middle,
  near,
  plain,
  prepared,
  sized,
} from './pictures.testing.ts';
import { torchvisionPreprocess } from './torchvision.testing.ts';

suite('what the model sees', () => {
  const pictures = ['cats', 'dogs', 'others', 'odd'].flatMap((folder) =>
    readdirSync(join(fixtures, folder)).map((name) => `${folder}/${name}`),
  );
  const bad = ['odd/cat.heic', 'odd/decompression_bomb.gif', 'odd/dog_truncated.jpg'];

  for (const name of pictures.filter((one) => !bad.includes(one))) {
    test(`is what a plain resize and crop make of ${name}`, async () => {
      const bytes = fixture(name);
      const { tensor, width, height, thumbnail } = await prepared(bytes);
      const expected = await torchvisionPreprocess(bytes);
      const difference = (shift: number) => {
        let sum = 0;
        for (let channel = 0; channel < 3; channel++)
          for (let y = 0; y < 260; y++)
            for (let x = 0; x < 259; x++)
              sum += Math.abs((tensor[(channel * 260 + y) * 260 + x] ?? 0) - expected(channel, y, x + shift));
        return sum / (3 * 260 * 259);
      };
      const exact = difference(0);
      // A WebP shrunk while it is decoded is not what it would be, shrunk afterwards.
      const limit = name.endsWith('.webp') ? 3 : 0.5;
      assert.ok(exact < limit, `differs by ${exact} of 255 on average`);
      assert.ok(exact < difference(1), 'the crop is not shifted');
      const small = await sharp(thumbnail).metadata();
      assert.equal(small.format, 'jpeg');
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

  test('of a model that takes pixels is the same crop, byte for byte', async () => {
    const taken = {
      ...plain.input,
      layout: 'NHWC',
      shape: ['batch', 260, 260, 3],
      type: 'uint8',
    } as Model['input'];
    for (const name of ['others/cow.webp', 'dogs/german_shepherd.webp']) {
      const planes = await prepared(fixture(name));
      const { tensor } = await prepared(fixture(name), { ...plain, input: taken });
      assert.equal(tensor.length, planes.tensor.length);
      const differing = tensor.findIndex((value, at) => {
        const pixel = Math.floor(at / 3);
        return value !== planes.tensor[(at % 3) * 260 * 260 + pixel];
      });
      assert.equal(differing, -1);
    }
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
