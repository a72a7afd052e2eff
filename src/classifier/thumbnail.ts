import type { Sharp } from 'sharp';
import { fitInside, type Size, thumbnailSide } from './geometry.ts';

/** A thumbnail travels in a message, so its size is bounded. */
export const thumbnailBytes = 16 * 1024;

/** Tried in turn until the file is small enough. Noise, the worst there is, fits at the third. */
const steps = [
  { side: thumbnailSide, quality: 75 },
  { side: thumbnailSide, quality: 40 },
  { side: 192, quality: 30 },
  { side: 96, quality: 20 },
];

/** A WebP of at most {@link thumbnailBytes}, its longer side 256 pixels unless the picture is smaller. */
export const makeThumbnail = async (open: () => Sharp, shown: Size): Promise<Buffer> => {
  for (const { side, quality } of steps) {
    const webp = await open()
      .resize({ ...fitInside(shown, side), fit: 'fill' })
      // More effort costs more time than the model itself.
      .webp({ quality, effort: 1 })
      .toBuffer();
    if (webp.length <= thumbnailBytes) return webp;
  }
  throw new Error('no thumbnail step fits'); // 96x96 pixels are 27 KB even uncompressed
};
