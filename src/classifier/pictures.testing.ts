import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Manifest } from './manifest-schema.ts';
import { type Prepared, preprocess } from './preprocess.ts';

/** What the tests of decoding and preprocessing share. */

export const fixtures = join(import.meta.dirname, '../../test/fixtures');
export const fixture = (name: string) => readFileSync(join(fixtures, name));

export type Model = Pick<Manifest, 'input' | 'preprocess'>;
/** As most ImageNet networks want it; a tensor then holds plain 0 … 255 values. */
export const plain: Model = {
  input: { name: 'input', type: 'float32', layout: 'NCHW', shape: ['batch', 3, 260, 260], channels: 'RGB' },
  preprocess: {
    resize: { shorterSide: 297, kernel: 'cubic' },
    crop: { width: 260, height: 260, gravity: 'centre' },
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
};
export const sized = (side: number, shorterSide: number): Model => ({
  input: { ...plain.input, shape: ['batch', 3, side, side] },
  preprocess: {
    ...plain.preprocess,
    resize: { shorterSide, kernel: 'cubic' },
    crop: { width: side, height: side, gravity: 'centre' },
  },
});

export const maxPixels = 50e6;
export const prepared = async (bytes: Uint8Array, model = plain): Promise<Prepared> => {
  const outcome = await preprocess(model, bytes, { maxPixels });
  assert.equal(outcome.kind, 'prepared', JSON.stringify(outcome));
  return outcome as Prepared;
};
export const created = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } });
/** Red, green and blue in the middle of the model's picture. */
export const middle = ({ tensor }: Prepared, side = 260): number[] =>
  [0, 1, 2].map((channel) => Math.round(tensor[(channel + 0.5) * side * side + side / 2] ?? Number.NaN));
export const near = (actual: number[], expected: number[], tolerance: number) =>
  assert.ok(
    actual.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) <= tolerance),
    `${actual} is not about ${expected}`,
  );

export const chunk = (type: string, data: Buffer) => {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
};
/** A black one-bit PNG: 200 megapixels in some 25 KB. */
export const pngOf = (width: number, height: number) => {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([magic, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
};
