import type { Blobs } from '../blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { cached } from './cached.ts';
import { Problem } from './problem.ts';

export interface AdmissionLimits {
  /** Unfinished images, and as many unfinished uploads in parts. */
  readonly maxBacklog: number;
  readonly minFreeBytes: number;
  /** Bytes of originals; undefined = no limit. */
  readonly maxStoredBytes: number | undefined;
}

/** The figures may be this old (ms): they guard reserves, not exact borders. */
const freshMs = 1000;
/** Adding up the sizes of all originals reads them all. */
const sumFreshMs = 10_000;

export interface Admission {
  /**
   * Throws the problem with which an upload is turned away while the server is full: 503 for the backlog, 507 for the
   * disk and the quota.
   */
  admit(): Promise<void>;
  /** The same for an upload in parts that begins, and 503 also while too many of them are unfinished. */
  admitUpload(): Promise<void>;
  /** So many bytes of originals were stored since. */
  stored(bytes: number): void;
}

export const createAdmission = (store: Store, blobs: Blobs, limits: AdmissionLimits): Admission => {
  const { maxStoredBytes, maxBacklog, minFreeBytes } = limits;
  const outstanding = cached(() => store.outstanding(), freshMs);
  const uploads = cached(() => store.openUploads(), freshMs);
  const free = cached(() => blobs.freeBytes(), freshMs);
  let since = 0;
  const sum = cached(() => {
    since = 0;
    return store.storedBytes();
  }, sumFreshMs);

  const checkQuota = async (): Promise<void> => {
    if (maxStoredBytes === undefined) return;
    const bytes = (await sum()) + since;
    if (bytes < maxStoredBytes) return;
    const detail = `${bytes} bytes of originals are stored, the limit is ${maxStoredBytes}`;
    throw new Problem(507, 'quota-full', detail);
  };
  const checkBacklog = (waiting: number, what: string): void => {
    if (waiting < maxBacklog) return;
    const detail = `${waiting} ${what}, the limit is ${maxBacklog}; try again later`;
    throw new Problem(503, 'backlog-full', detail, { headers: { 'retry-after': '10' } });
  };
  const admit = async (): Promise<void> => {
    const [{ images }, freeBytes] = await Promise.all([outstanding(), free(), checkQuota()]);
    checkBacklog(images, 'images are waiting');
    if (freeBytes !== undefined && freeBytes < minFreeBytes) {
      const detail = `${freeBytes} bytes of storage are free, and ${minFreeBytes} are kept in reserve`;
      throw new Problem(507, 'storage-full', detail);
    }
  };
  return {
    admit,
    async admitUpload() {
      await admit();
      checkBacklog(await uploads(), 'uploads are unfinished');
    },
    stored(bytes) {
      since += bytes;
    },
  };
};
