import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { NamedFile } from './acceptance/target.ts';

/** A model that some colours make throw, hang or crash: test/fixtures/models/README.md says which. */
export const poisonModel = fileURLToPath(new URL('./fixtures/models/poison', import.meta.url));

/** A small picture of one colour. */
export const plainPicture = async (name: string, background: string): Promise<NamedFile> => {
  const create = { width: 16, height: 16, channels: 3 as const, background };
  return { name, bytes: Buffer.from(await sharp({ create }).png().toBuffer()) };
};
