import sharp, { type Sharp } from 'sharp';
import type { Refused } from './classifier.ts';
import { openPicture, undecodable } from './decode.ts';
import { centreCrop, planDecode, type Size } from './geometry.ts';
import type { Manifest } from './manifest-schema.ts';
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
type Pixels = { data: Buffer; info: Size };

/** Whatever the file holds (CMYK, grey, palette, 16 bits, transparency) as 8-bit sRGB on white. */
const toRgb = (picture: Sharp): Promise<Pixels> =>
  picture
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });

const fromRgb = ({ data, info: { width, height } }: Pixels): Sharp =>
  sharp(data, { raw: { width, height, channels: 3 } });

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
  const { shown, open } = source;
  const { resize, crop } = model.preprocess;
  const { window, decoded, resized, factor } = planDecode(shown, resize.shorterSide);
  const to = (size: Size) => ({ ...size, fit: 'fill', kernel: resize.kernel }) as const;
  try {
    const whole = open();
    const pixels = await toRgb((window ? whole.extract(window) : whole).resize(to(decoded)));
    const forModel = factor === 1 ? pixels : await toRgb(fromRgb(pixels).resize(to(resized)));
    const tensor = toTensor(model, forModel.data, resized.width, centreCrop(resized, crop));
    const forThumbnail = window ? () => open().flatten({ background: '#fff' }) : () => fromRgb(pixels);
    const thumbnail = await makeThumbnail(forThumbnail, shown);
    return { kind: 'prepared', tensor, ...shown, thumbnail };
  } catch (error) {
    return undecodable(error);
  }
};
