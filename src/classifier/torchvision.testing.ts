import sharp from 'sharp';

/** Bicubic with antialiasing over one axis, straight from its definition (Pillow's BICUBIC, a = -0.5). */
const bicubicRows = (from: Float64Array, length: number, stride: number, lines: number, to: number) => {
  const out = new Float64Array(to * lines * 3);
  const scale = Math.max(1, length / to);
  const weight = (distance: number) => {
    const x = Math.abs(distance);
    return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  };
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * length) / to;
    const first = Math.max(0, Math.floor(centre - 2 * scale));
    const last = Math.min(length - 1, Math.ceil(centre + 2 * scale));
    const weights = Array.from({ length: last - first + 1 }, (_, k) =>
      weight((first + k + 0.5 - centre) / scale),
    );
    const sum = weights.reduce((total, one) => total + one, 0);
    for (let line = 0; line < lines; line++) {
      for (let channel = 0; channel < 3; channel++) {
        let value = 0;
        for (const [k, w] of weights.entries())
          value += w * (from[((first + k) * stride + line * (stride === 1 ? length : 1)) * 3 + channel] ?? 0);
        const at = stride === 1 ? line * to + i : i * lines + line;
        out[at * 3 + channel] = Math.min(255, Math.max(0, value / sum));
      }
    }
  }
  return out;
};
/** What resize to 297 and centre crop to 260 as torchvision does them make of a full decode: a value by channel, row and column. */
export const torchvisionPreprocess = async (bytes: Buffer) => {
  const { data, info } = await sharp(bytes, { pages: 1, autoOrient: true })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const short = Math.min(width, height);
  const w = Math.trunc((297 * width) / short);
  const h = Math.trunc((297 * height) / short);
  const across = bicubicRows(Float64Array.from(data), width, 1, height, w);
  const resized = bicubicRows(across, height, w, w, h);
  // Python's round(18.5) is 18.
  const [left, top] = [w, h].map((side) => Math.trunc((side - 260) / 2));
  return (channel: number, y: number, x: number) =>
    resized[((y + (top ?? 0)) * w + x + (left ?? 0)) * 3 + channel] ?? 0;
};
