import type { Sharp } from 'sharp';
import type { Refused } from './classifier.ts';
import { openPicture, undecodable } from './decode.ts';
import { centreCrop, fitInside, planDecode, type Size, thumbnailSide } from './geometry.ts';
import type { Manifest } from './manifest-schema.ts';
import { type KernelName, type Pixels, resample } from './resample.ts';
import { type TensorData, toTensor } from './tensor.ts';
import { makeThumbnail } from './thumbnail.ts';

/** One picture, ready for the model. */
export interface Prepared {
  readonly kind: 'prepared';
  readonly tensor: TensorData;
  /** As shown, after EXIF rotation. */
  readonly width: number;
  readonly height: number;
  /** JPEG of at most 16 KB. */
  readonly thumbnail: Buffer;
}

type Model = Pick<Manifest, 'input' | 'preprocess'>;

/** Whatever the file holds (CMYK, grey, palette, 16 bits, transparency) as 8-bit sRGB on white. */
const toRgb = async (picture: Sharp, size: Size, kernel: KernelName): Promise<Pixels> => {
  const { data, info } = await picture
    .resize({ ...size, fit: 'fill', kernel })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
};

/**
 * Turns the bytes of a picture into the model's input and a thumbnail. One decode serves both, already shrunk while
 * loading where the format can; only a strip (geometry.ts) is read twice. Never throws for a bad picture.
 */
export const preprocess = async (
  model: Model,
  bytes: Uint8Array,
  { maxPixels, contentType }: { maxPixels: number; contentType?: string },
): Promise<Prepared | Refused> => {
  const source = await openPicture(bytes, maxPixels, contentType);
  if ('kind' in source) return source;
  const { shown, open, shortcut } = source;
  const { resize, crop } = model.preprocess;
  const { kernel } = resize;
  const { window, decoded, resized } = planDecode(shown, resize.shorterSide);
  try {
    using lent = window ? undefined : shortcut(decoded);
    const pixels = lent ?? (await toRgb(window ? open().extract(window) : open(), decoded, kernel));
    const tensor = toTensor(model, resample(pixels, resized, centreCrop(resized, crop), kernel));
    const whole = window ? await toRgb(open(), fitInside(shown, thumbnailSide), 'linear') : pixels;
    const thumbnail = await makeThumbnail(whole, shown);
    return { kind: 'prepared', tensor, ...shown, thumbnail };
  } catch (error) {
    return undecodable(error);
  }
};
