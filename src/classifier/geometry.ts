/** Pixels, as the picture is shown. */
export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface Area extends Size {
  readonly left: number;
  readonly top: number;
}

export const thumbnailSide = 256;

/**
 * A picture longer than this many times its shorter side is a strip: resized as a whole it could have millions of
 * pixels in a row (70,000x1 at shorter side 297 is 20,790,000x297), all but the middle thrown away by the crop.
 */
const longestStrip = 8;

export interface Plan {
  /** The part of the picture to decode for the model; undefined for all of it. */
  readonly window: Area | undefined;
  /** The least size that the picture, or its window, is to be decoded to: a multiple of `resized`, unless that is larger. */
  readonly decoded: Size;
  /** The size at which the model's crop is cut out. */
  readonly resized: Size;
}

const oriented = (short: number, long: number, wide: boolean): Size =>
  wide ? { width: long, height: short } : { width: short, height: long };

/** The largest size with the picture's proportions whose longer side is at most `side`; never larger than the picture. */
export const fitInside = ({ width, height }: Size, side: number): Size => {
  const scale = Math.min(1, side / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
};

/**
 * How to decode a picture once, as small as serves both the model and the thumbnail. A whole multiple of the model's
 * size, so that the second step of a model smaller than the thumbnail loses nothing.
 */
export const planDecode = (shown: Size, shorterSide: number): Plan => {
  const wide = shown.width >= shown.height;
  const short = Math.min(shown.width, shown.height);
  const long = Math.max(shown.width, shown.height);
  const strip = long > longestStrip * short;
  // As even or odd as the whole length, so that the window's middle is the picture's.
  const kept = strip ? longestStrip * short - ((long - longestStrip * short) % 2) : long;
  const start = (long - kept) / 2;
  const stored = oriented(short, kept, wide);
  const resized = oriented(shorterSide, Math.floor((shorterSide * kept) / short), wide);
  const wanted = strip ? 1 : Math.min(thumbnailSide, long);
  const factor = Math.ceil(wanted / Math.max(resized.width, resized.height));
  return {
    window: strip ? { ...stored, left: wide ? start : 0, top: wide ? 0 : start } : undefined,
    decoded: {
      width: Math.min(stored.width, resized.width * factor),
      height: Math.min(stored.height, resized.height * factor),
    },
    resized,
  };
};

/** Halves go to the even neighbour, as in Python, where most models' preprocessing comes from. */
const roundHalfEven = (value: number): number => {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
};

/** The crop's upper left corner, rounded as torchvision's CenterCrop does. */
export const centreCrop = (resized: Size, crop: Size): Area => ({
  width: crop.width,
  height: crop.height,
  left: roundHalfEven((resized.width - crop.width) / 2),
  top: roundHalfEven((resized.height - crop.height) / 2),
});
