import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const sources = [
  'dogs/golden_retriever.jpg',
  'cats/tabby_lying.jpg',
  'cats/ginger_kitten.jpg',
  'others/red_panda.jpg',
];
const fixtures = fileURLToPath(new URL('../test/fixtures/', import.meta.url));

/** 500 x 375 JPEGs (quality 85, some 40 KB each), no two alike: windows of the fixtures' photos. Returns their paths. */
export const makePictures = async (folder: string, count = 40): Promise<string[]> => {
  await mkdir(folder, { recursive: true });
  for (let n = 0; n < count; n++) {
    const source = await readFile(join(fixtures, sources[n % sources.length] ?? ''));
    const { width, height } = await sharp(source).metadata();
    const shrink = 1 - (n / count) * 0.3;
    const window = { width: Math.floor(width * shrink), height: Math.floor(height * shrink) };
    const picture = sharp(source)
      .extract({ left: width - window.width, top: Math.floor((height - window.height) / 2), ...window })
      .resize(500, 375, { fit: 'cover' });
    await writeFile(join(folder, `${n}.jpg`), await picture.jpeg({ quality: 85 }).toBuffer());
  }
  return (await readdir(folder)).map((name) => join(folder, name));
};

/** A JPEG of 32 x 32 pixels: next to nothing to decode. Returns its path. */
export const makeTinyPicture = async (folder: string): Promise<string> => {
  const path = join(folder, 'red.jpg');
  await sharp({ create: { width: 32, height: 32, channels: 3, background: 'red' } }).toFile(path);
  return path;
};

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};
export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));
