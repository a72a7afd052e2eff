import sharp, { type Sharp, type SharpOptions } from 'sharp';
import type { Refused } from './classifier.ts';
import type { Size } from './geometry.ts';
import { type Lent, turboJpeg } from './turbojpeg.ts';

// The bytes are anybody's: only the loaders of the formats we accept may see them.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((loader) => `VipsForeignLoad${loader}`),
});
// Each worker process is one thread of work; cached operations would only hold memory.
sharp.cache(false);
sharp.concurrency(1);

const acceptedTypes = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/tiff',
  'image/avif',
]);
const accepted = 'JPEG, PNG, WebP, GIF, TIFF or AVIF';

/**
 * Chosen by trying (preprocess.test.ts): `none` takes half a JPEG for a whole one, `truncated` half a TIFF;
 * `warning` refuses JPEGs that cameras and editors write and every viewer shows, such as with stray bytes between
 * markers. `error` refuses what has pixels missing and forgives the rest; 2,470 photos from three sources pass it.
 */
const failOn = 'error';

export const refused = (code: string, message: string): Refused => ({
  kind: 'refused',
  error: { code, message },
});

/** A decoder's complaint as one line; libvips repeats itself over many. */
const complaint = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0]?.trim().slice(0, 200) || 'no reason given';
};

export const undecodable = (error: unknown): Refused =>
  refused('undecodable', `the picture is damaged or incomplete: ${complaint(error)}`);

export interface Source {
  /** Size as shown, after EXIF rotation. */
  readonly shown: Size;
  /** A fresh pipeline that decodes the first frame or page, upright. */
  open(): Sharp;
  /** The same pixels, no smaller than `atLeast`, in less time. Undefined if only `open` can have them. */
  shortcut(atLeast: Size): Lent | undefined;
}

/** Reads the header: the size as shown. */
const readSize = async (
  bytes: Uint8Array,
  options: SharpOptions,
  contentType?: string,
): Promise<Size | Refused> => {
  try {
    // Without a limit, as this reads only the header: the refusal for too many pixels can then name them.
    const header = await sharp(bytes, { ...options, limitInputPixels: false }).metadata();
    if (header.format === 'heif' && header.compression !== 'av1') {
      return refused('unsupported', `HEIC pictures are not supported: send ${accepted}`);
    }
    return header.autoOrient;
  } catch (error) {
    const unknown = complaint(error).includes('unsupported image format');
    return unknown && !acceptedTypes.has(contentType ?? '')
      ? refused('unsupported', `the file is no ${accepted} picture`)
      : undecodable(error);
  }
};

/**
 * Reads a picture's header and decides whether it may be decoded. `contentType` is what the bytes were found to be;
 * without it a damaged header cannot be told from an unsupported type.
 */
export const openPicture = async (
  bytes: Uint8Array,
  maxPixels: number,
  contentType?: string,
): Promise<Source | Refused> => {
  if (bytes.length === 0) return refused('undecodable', 'the file is empty');
  const options: SharpOptions = { failOn, pages: 1, autoOrient: true };
  const plain = turboJpeg?.plainSize(bytes);
  const shown = plain ?? (await readSize(bytes, options, contentType));
  if ('kind' in shown) return shown;
  if (shown.width * shown.height > maxPixels) {
    const size = `${shown.width}x${shown.height}`;
    return refused('too-many-pixels', `the picture has ${size} pixels, more than the limit of ${maxPixels}`);
  }
  return {
    shown,
    open: () => sharp(bytes, { ...options, limitInputPixels: maxPixels }),
    shortcut: (atLeast) => (plain ? turboJpeg?.decode(bytes, atLeast) : undefined),
  };
};
