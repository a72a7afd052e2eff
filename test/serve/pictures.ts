import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import sharp from 'sharp';
import { plainPicture, poisonModel } from '../poison.ts';

/** For servers of which only the uploading is of interest. */
export const quick = { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1' };

export const lines = (text: string): string[] => text.trimEnd().split('\n');

/** A folder of its own, gone after the test. */
export const newFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-upload-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
};

const shade = (n: number): string => `#${(0x400000 + n).toString(16)}`;
/** As many different pictures as asked for. */
export const pictures = async (t: TestContext, count: number): Promise<string> => {
  const folder = await newFolder(t);
  for (let n = 1; n <= count; n += 1) {
    const { name, bytes } = await plainPicture(`p${n}.png`, shade(n));
    await writeFile(join(folder, name), bytes);
  }
  return folder;
};

/** A PNG of noise, which no compression makes smaller than 3 bytes a pixel. */
export const noise = (side: number): Promise<Buffer> =>
  sharp(randomBytes(side * side * 3), { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
