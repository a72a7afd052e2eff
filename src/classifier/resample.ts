import { readFileSync } from 'node:fs';
import type { Area, Size } from './geometry.ts';
import type { Manifest } from './manifest-schema.ts';

/** 8-bit RGB, rows from the top without gaps. */
export interface Pixels extends Size {
  readonly data: Uint8Array;
}

/** What assembly/resample.ts exports. Addresses and strides are bytes. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  addRows(
    source: number,
    sourceStride: number,
    width: number,
    starts: number,
    weights: number,
    taps: number,
    target: number,
    targetStride: number,
    rows: number,
  ): void;
  addColumns(
    source: number,
    sourceStride: number,
    starts: number,
    weights: number,
    taps: number,
    target: number,
    columns: number,
    rows: number,
  ): void;
}

// TypeScript knows it only together with a browser's page.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (compiled: object) => { readonly exports: unknown };
};

const compiled = new WebAssembly.Module(readFileSync(new URL('resample.wasm', import.meta.url)));
const { memory, addRows, addColumns } = new WebAssembly.Instance(compiled).exports as Exports;

export type KernelName = Manifest['preprocess']['resize']['kernel'];
interface Kernel {
  /** Beyond this distance the weight is zero. */
  readonly radius: number;
  weight(distance: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** As in Pillow (libImaging/Resample.c) and libvips: triangle, Catmull-Rom (Keys, a = -0.5), Lanczos. */
const kernels: Record<KernelName, Kernel> = {
  nearest: { radius: 0.5, weight: () => 1 },
  linear: { radius: 1, weight: (x) => Math.max(0, 1 - x) },
  cubic: {
    radius: 2,
    weight: (x) => {
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    },
  },
  lanczos3: { radius: 3, weight: (x) => (x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** One direction of a resize: which values of the source make each value of the target. */
interface Plan {
  /** From `from` on. */
  readonly starts: Int32Array;
  /** `taps` for each value, as parts of `one`. */
  readonly weights: Int16Array;
  readonly taps: number;
  /** The part of the source that is needed. */
  readonly from: number;
  readonly to: number;
}

const one = 16384;

/**
 * Weights for `count` values from `skip` on, of `length` resized to `wanted`. Where it shrinks, the kernel is stretched
 * over all the values that fall together, as Pillow and torchvision (antialias) do.
 */
const plan = (length: number, wanted: number, skip: number, count: number, name: KernelName): Plan => {
  const { radius, weight } = kernels[name];
  const scale = length / wanted;
  const stretch = name === 'nearest' ? 1 : Math.max(1, scale);
  const reach = radius * stretch;
  const most = Math.ceil(2 * reach);
  const taps = most + (most % 2);
  const starts = new Int32Array(count);
  const weights = new Int16Array(count * taps);
  const row = new Float64Array(taps);
  for (let at = 0; at < count; at++) {
    const centre = (at + skip + 0.5) * scale;
    // The values whose middle is within reach.
    const first = Math.max(0, Math.ceil(centre - reach - 0.5));
    const end = Math.min(length, first + taps, Math.ceil(centre + reach - 0.5));
    let total = 0;
    for (let x = first; x < end; x++) {
      const value = weight(Math.abs(x + 0.5 - centre) / stretch);
      row[x - first] = value;
      total += value;
    }
    starts[at] = first;
    for (let tap = 0; tap < end - first; tap++)
      weights[at * taps + tap] = Math.round(((row[tap] ?? 0) / total) * one);
  }
  const from = starts[0] ?? 0;
  const to = Math.min(length, (starts[count - 1] ?? 0) + taps);
  for (let at = 0; at < count; at++) starts[at] = (starts[at] ?? 0) - from;
  return { starts, weights, taps, from, to };
};

/** Lays things one after the other into the WebAssembly memory, 16 bytes apart, and lets it grow. */
const layOut = (...bytes: number[]): number[] => {
  let end = 0;
  const addresses = bytes.map((size) => {
    const address = end;
    end += (size + 31) & ~15;
    return address;
  });
  const missing = Math.ceil((end - memory.buffer.byteLength) / 65_536);
  if (missing > 0) memory.grow(missing);
  return addresses;
};

/**
 * Resizes pixels to the size `to` and cuts `crop` out of that. Only what the crop needs is computed, 16 bytes at a
 * time: a third of what sharp takes, which hands such small pictures between threads. Within a level of Pillow's.
 */
export const resample = (
  { data, width, height }: Pixels,
  to: Size,
  crop: Area,
  kernel: KernelName,
): Pixels => {
  const rows = plan(height, to.height, crop.top, crop.height, kernel);
  const columns = plan(width, to.width, crop.left, crop.width, kernel);
  const stride = width * 3;
  const used = (columns.to - columns.from) * 3;
  const between = (used + 15) & ~15;
  const [source, starts, weights, target, lefts, factors, out] = layOut(
    (rows.to - rows.from + rows.taps) * stride,
    rows.starts.byteLength,
    rows.weights.byteLength,
    crop.height * between + columns.taps * 3,
    columns.starts.byteLength,
    columns.weights.byteLength,
    crop.width * crop.height * 3,
  ) as [number, number, number, number, number, number, number];
  const { buffer } = memory;
  new Uint8Array(buffer, source).set(data.subarray(rows.from * stride, rows.to * stride));
  new Int32Array(buffer, starts).set(rows.starts);
  new Int16Array(buffer, weights).set(rows.weights);
  new Int32Array(buffer, lefts).set(columns.starts);
  new Int16Array(buffer, factors).set(columns.weights);
  const left = source + columns.from * 3;
  addRows(left, stride, used, starts, weights, rows.taps, target, between, crop.height);
  addColumns(target, between, lefts, factors, columns.taps, out, crop.width, crop.height);
  const made = new Uint8Array(buffer, out, crop.width * crop.height * 3).slice();
  return { data: made, width: crop.width, height: crop.height };
};
