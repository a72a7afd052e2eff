import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asBuffer } from '../as-buffer.ts';
import type { Size } from './geometry.ts';
import type { Pixels } from './resample.ts';

/** Pixels whose memory is used for the next picture once they are disposed of. */
export type Lent = Pixels & Disposable;

/** libjpeg-turbo, called on this thread: a third of what sharp takes, which hands a picture to two others. */
export interface TurboJpeg {
  /**
   * The size of a JPEG that is shown as it is stored: 8-bit grey, YCbCr or RGB, without EXIF (which may turn it) and
   * colour profile. Undefined for all else, and for what is no JPEG.
   */
  plainSize(bytes: Uint8Array): Size | undefined;
  /**
   * Decodes one that has a {@link plainSize} to whichever of the whole, half, quarter or eighth size is the smallest that
   * is no smaller than `atLeast`: exactly sharp's pixels. Undefined if there is the slightest complaint; whether
   * such a file can be forgiven is for sharp to say.
   */
  decode(bytes: Uint8Array, atLeast: Size): Lent | undefined;
  /** A baseline JPEG with halved colour resolution. */
  encode(pixels: Pixels, quality: number): Buffer;
}

/** The constants of turbojpeg.h, API 3. */
const tj = {
  init: { compress: 0, decompress: 1 },
  parameter: {
    stopOnWarning: 0,
    noRealloc: 2,
    quality: 3,
    subsampling: 4,
    width: 5,
    height: 6,
    precision: 7,
    colourspace: 8,
    scanLimit: 13,
  },
  colourspace: { rgb: 0, yCbCr: 1, grey: 2 },
  pixelFormat: { rgb: 0 },
  subsampling: { '420': 2 },
} as const;

/** A progressive JPEG of more scans is made to take time; cameras and encoders write some ten. */
const mostScans = 100;

/** Bytes of memory kept for the next picture. */
const mostSpare = 16 * 1024 * 1024;

/**
 * Whether nothing before the pixels says how the picture is to be turned or what its colours mean (segments: ITU-T T.81,
 * B.1.1). False where that cannot be told.
 */
const isPlain = (bytes: Uint8Array): boolean => {
  const view = asBuffer(bytes);
  for (let at = 2; at + 4 <= view.length && view[at] === 0xff; ) {
    const marker = view[at + 1];
    if (marker === 0xda) return true;
    // APP1 is EXIF or XMP, APP2 a profile; 0xff is no marker, but filling.
    if (marker === 0xe1 || marker === 0xe2 || marker === 0xff) return false;
    at += 2 + view.readUInt16BE(at + 2);
  }
  return false;
};

/** Where the package keeps its shared library for this platform: the binding beside it knows only the inexact transform. */
const libraries = (): string[] => {
  const folder = join(dirname(fileURLToPath(import.meta.resolve('@julusian/jpeg-turbo'))), 'prebuilds');
  return ['', '-musl']
    .map((libc) => join(folder, `jpeg-turbo-${process.platform}-${process.arch}${libc}`, 'libturbojpeg.so.0'))
    .filter((path) => existsSync(path));
};

type Ffi = typeof import('node:ffi');

/** Undefined where Node has none. It says that this is experimental; with a pinned version of Node we know what it does. */
const loadFfi = (): Ffi | undefined => {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:ffi') as Ffi | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
};

const bind = ({ dlopen }: Ffi, path: string) =>
  dlopen(path, {
    tj3Init: { arguments: ['i32'], return: 'pointer' },
    tj3Destroy: { arguments: ['pointer'], return: 'void' },
    tj3Set: { arguments: ['pointer', 'i32', 'i32'], return: 'i32' },
    tj3Get: { arguments: ['pointer', 'i32'], return: 'i32' },
    tj3DecompressHeader: { arguments: ['pointer', 'pointer', 'u64'], return: 'i32' },
    // A struct of two ints, which travels in one register.
    tj3SetScalingFactor: { arguments: ['pointer', 'u64'], return: 'i32' },
    tj3Decompress8: { arguments: ['pointer', 'pointer', 'u64', 'pointer', 'i32', 'i32'], return: 'i32' },
    tj3JPEGBufSize: { arguments: ['i32', 'i32', 'i32'], return: 'u64' },
    tj3Compress8: {
      arguments: ['pointer', 'pointer', 'i32', 'i32', 'i32', 'i32', 'pointer', 'pointer'],
      return: 'i32',
    },
  }).functions;

const use = (ffi: Ffi, path: string): TurboJpeg => {
  const lib = bind(ffi, path);
  const newReader = () => {
    const made = lib.tj3Init(tj.init.decompress);
    lib.tj3Set(made, tj.parameter.stopOnWarning, 1);
    lib.tj3Set(made, tj.parameter.scanLimit, mostScans);
    return made;
  };
  let reader = newReader();
  /** One that has failed may stay in the middle of that file, and then fails with every other (a bad Huffman table). */
  const failed = (): undefined => {
    lib.tj3Destroy(reader);
    reader = newReader();
  };
  const writer = lib.tj3Init(tj.init.compress);
  lib.tj3Set(writer, tj.parameter.noRealloc, 1);
  lib.tj3Set(writer, tj.parameter.subsampling, tj.subsampling['420']);
  const got = (parameter: number) => lib.tj3Get(reader, parameter);
  const known: readonly number[] = Object.values(tj.colourspace);
  // For the library to write to: where the JPEG lies and how long it is.
  const place = new BigUint64Array(new ArrayBuffer(8));
  const length = new BigUint64Array(new ArrayBuffer(8));

  let spare: Buffer | undefined;
  const lend = (size: number): Buffer => {
    const lent = spare !== undefined && spare.length >= size ? spare : Buffer.allocUnsafeSlow(size);
    spare = undefined;
    return lent;
  };

  return {
    plainSize(bytes) {
      if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || !isPlain(bytes)) return undefined;
      if (lib.tj3DecompressHeader(reader, bytes, BigInt(bytes.length)) !== 0) return failed();
      if (got(tj.parameter.precision) !== 8 || !known.includes(got(tj.parameter.colourspace)))
        return undefined;
      return { width: got(tj.parameter.width), height: got(tj.parameter.height) };
    },
    decode(bytes, atLeast) {
      const size = BigInt(bytes.length);
      // Once more: the reader may have seen another picture since.
      if (lib.tj3DecompressHeader(reader, bytes, size) !== 0) return failed();
      const shrunk = (by: number): Size => ({
        width: Math.ceil(got(tj.parameter.width) / by),
        height: Math.ceil(got(tj.parameter.height) / by),
      });
      const by =
        [8, 4, 2].find((one) => {
          const { width, height } = shrunk(one);
          return width >= atLeast.width && height >= atLeast.height;
        }) ?? 1;
      if (lib.tj3SetScalingFactor(reader, (BigInt(by) << 32n) | 1n) !== 0) return failed();
      const { width, height } = shrunk(by);
      const memory = lend(width * height * 3);
      if (lib.tj3Decompress8(reader, bytes, size, memory, width * 3, tj.pixelFormat.rgb) !== 0)
        return failed();
      return {
        data: memory.subarray(0, width * height * 3),
        width,
        height,
        [Symbol.dispose]() {
          if (memory.length <= mostSpare) spare = memory;
        },
      };
    },
    encode({ data, width, height }, quality) {
      const jpeg = Buffer.allocUnsafeSlow(Number(lib.tj3JPEGBufSize(width, height, tj.subsampling['420'])));
      place[0] = ffi.getRawPointer(jpeg);
      length[0] = BigInt(jpeg.length);
      lib.tj3Set(writer, tj.parameter.quality, quality);
      const pitch = width * 3;
      if (lib.tj3Compress8(writer, data, width, pitch, height, tj.pixelFormat.rgb, place, length) !== 0)
        throw new Error('libjpeg-turbo cannot write the thumbnail');
      return Buffer.from(jpeg.subarray(0, Number(length[0])));
    },
  };
};

const load = (): TurboJpeg | undefined => {
  const ffi = loadFfi();
  if (ffi === undefined) return undefined;
  for (const path of libraries()) {
    try {
      return use(ffi, path);
    } catch {
      // Made for the other C library.
    }
  }
  return undefined;
};

/** Undefined where it cannot be called: sharp then does its work, with the same pixels. */
export const turboJpeg: TurboJpeg | undefined = load();
