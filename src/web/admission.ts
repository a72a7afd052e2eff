import type { Blobs } from '../blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { Problem } from './problem.ts';

export interface AdmissionLimits {
  /** Unfinished images. */
  readonly maxBacklog: number;
  readonly minFreeBytes: number;
  /** Bytes of originals; undefined = no limit. */
  readonly maxStoredBytes: number | undefined;
}

/** The figures may be this old (ms): they guard reserves, not exact borders. */
const freshMs = 1000;
/** Adding up the sizes of all originals reads them all. */
const sumFreshMs = 10_000;

const cached = <T>(read: () => Promise<T>, freshMs: number): (() => Promise<T>) => {
  let at = Number.NEGATIVE_INFINITY;
  let value: Promise<T> | undefined;
  return () => {
    if (value === undefined || performance.now() - at > freshMs) {
      at = performance.now();
      value = read();
      value.catch(() => {
        value = undefined;
      });
    }
    return value;
  };
};

/** Throws the problem with which an upload is turned away while the server is full: 503 for the backlog, 507 for the disk and the quota. */
export type Admit = () => Promise<void>;

export const createAdmission = (store: Store, blobs: Blobs, limits: AdmissionLimits): Admit => {
  const outstanding = cached(() => store.outstanding(), freshMs);
  const free = cached(() => blobs.freeBytes(), freshMs);
  const { maxStoredBytes } = limits;
  const stored = maxStoredBytes === undefined ? undefined : cached(() => store.storedBytes(), sumFreshMs);
  return async () => {
    const [{ images }, freeBytes, storedBytes] = await Promise.all([outstanding(), free(), stored?.()]);
    if (maxStoredBytes !== undefined && storedBytes !== undefined && storedBytes >= maxStoredBytes) {
      const detail = `${storedBytes} bytes of originals are stored, the limit is ${maxStoredBytes}`;
      throw new Problem(507, 'quota-full', detail);
    }
    if (images >= limits.maxBacklog) {
      const detail = `${images} images are waiting, the limit is ${limits.maxBacklog}; try again later`;
      throw new Problem(503, 'backlog-full', detail, { headers: { 'retry-after': '10' } });
    }
    if (freeBytes !== undefined && freeBytes < limits.minFreeBytes) {
      const detail = `${freeBytes} bytes of storage are free, and ${limits.minFreeBytes} are kept in reserve`;
      throw new Problem(507, 'storage-full', detail);
    }
  };
};
