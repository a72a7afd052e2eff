// AssemblyScript: compiled to src/classifier/resample.wasm by `npm run build:wasm`, called by src/classifier/resample.ts.
// Weights are 16-bit integers of which 16384 is one, an even number (`taps`) for each row or column, zero where there
// are fewer: the processor multiplies and adds them in pairs.

const FRACTION_BITS: i32 = 14;
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/**
 * Each row of the target is a weighted sum of `taps` rows of the source, of which `starts` says the first. Handles 16
 * bytes at a time: reads and writes up to 15 bytes after `width`, and reads rows after the last with weight zero.
 */
export function addRows(
  source: usize,
  sourceStride: usize,
  width: i32,
  starts: usize,
  weights: usize,
  taps: i32,
  target: usize,
  targetStride: usize,
  rows: i32,
): void {
  const half = i32x4.splat(HALF);
  for (let y = 0; y < rows; y++) {
    const first = source + <usize>load<i32>(starts + ((<usize>y) << 2)) * sourceStride;
    const weightsOfRow = weights + ((<usize>(y * taps)) << 1);
    const out = target + <usize>y * targetStride;
    for (let x = 0; x < width; x += 16) {
      let a = half;
      let b = half;
      let c = half;
      let d = half;
      let from = first + x;
      for (let tap = 0; tap < taps; tap += 2) {
        const weight = v128.load32_splat(weightsOfRow + ((<usize>tap) << 1));
        const upper = v128.load(from);
        const lower = v128.load(from + sourceStride);
        const left = v128.shuffle<u8>(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const right = v128.shuffle<u8>(
          upper,
          lower,
          8,
          24,
          9,
          25,
          10,
          26,
          11,
          27,
          12,
          28,
          13,
          29,
          14,
          30,
          15,
          31,
        );
        a = i32x4.add(a, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(left), weight));
        b = i32x4.add(b, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(left), weight));
        c = i32x4.add(c, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(right), weight));
        d = i32x4.add(d, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(right), weight));
        from += sourceStride << 1;
      }
      const ab = i16x8.narrow_i32x4_s(i32x4.shr_s(a, FRACTION_BITS), i32x4.shr_s(b, FRACTION_BITS));
      const cd = i16x8.narrow_i32x4_s(i32x4.shr_s(c, FRACTION_BITS), i32x4.shr_s(d, FRACTION_BITS));
      v128.store(out + x, i8x16.narrow_i16x8_u(ab, cd));
    }
  }
}

/**
 * Each pixel of the target is a weighted sum of `taps` pixels of its row, of which `starts` says the first. RGB; the
 * target's rows have no gaps. Reads up to 8 bytes after a row's last pixel and writes one after the target.
 */
export function addColumns(
  source: usize,
  sourceStride: usize,
  starts: usize,
  weights: usize,
  taps: i32,
  target: usize,
  columns: i32,
  rows: i32,
): void {
  const half = i32x4.splat(HALF);
  let out = target;
  for (let y = 0; y < rows; y++) {
    const row = source + <usize>y * sourceStride;
    let weight = weights;
    for (let x = 0; x < columns; x++) {
      let from = row + <usize>(load<i32>(starts + ((<usize>x) << 2)) * 3);
      let sum = half;
      for (let tap = 0; tap < taps; tap += 2) {
        // R of both pixels, G of both, B of both, as 16-bit integers.
        const pair = i8x16.swizzle(
          v128.load64_zero(from),
          i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1),
        );
        sum = i32x4.add(sum, i32x4.dot_i16x8_s(pair, v128.load32_splat(weight)));
        from += 6;
        weight += 4;
      }
      const pixel = i32x4.shr_s(sum, FRACTION_BITS);
      const words = i16x8.narrow_i32x4_s(pixel, pixel);
      // The fourth byte is the next pixel's first, and written over by it.
      store<u32>(out, i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0));
      out += 3;
    }
  }
}
