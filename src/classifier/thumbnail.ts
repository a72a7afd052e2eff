import sharp from 'sharp';
import { fitInside, type Size, thumbnailSide } from './geometry.ts';
import { type Pixels, resample } from './resample.ts';
import { turboJpeg } from './turbojpeg.ts';

/** A thumbnail travels in a message, so its size is bounded. */
export const thumbnailBytes = 16 * 1024;

/** Tried in turn until the file is small enough. Noise, the worst there is, fits at the fourth. */
const steps = [
  { side: thumbnailSide, quality: 75 },
  { side: thumbnailSide, quality: 55 },
  { side: thumbnailSide, quality: 30 },
  { side: 160, quality: 25 },
  { side: 96, quality: 20 },
];

const encode = async (pixels: Pixels, quality: number): Promise<Buffer> => {
  if (turboJpeg) return turboJpeg.encode(pixels, quality);
  const { data, width, height } = pixels;
  // Huffman tables made to measure would save a twentieth of the bytes and cost a second pass.
  const options = { quality, optimiseCoding: false };
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg(options)
    .toBuffer();
};

/**
 * A JPEG of at most {@link thumbnailBytes}, its longer side 256 pixels unless the picture is smaller. A WebP would be
 * a tenth smaller and take longer than all else that is done to a picture before the model. `pixels`: the picture, shrunk or not.
 */
export const makeThumbnail = async (pixels: Pixels, shown: Size): Promise<Buffer> => {
  for (const { side, quality } of steps) {
    const size = fitInside(shown, side);
    const jpeg = await encode(resample(pixels, size, { ...size, left: 0, top: 0 }, 'linear'), quality);
    if (jpeg.length <= thumbnailBytes) return jpeg;
  }
  throw new Error('no thumbnail step fits'); // 96x96 pixels are 27 KB even uncompressed
};
