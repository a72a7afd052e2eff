import type { Readable } from 'node:stream';

/** Where pictures lie. Keys are ours (`2026/11/23/<id>.jpg`), never a client's. */
export interface Blobs {
  /**
   * Stores a stream under a new key. When it resolves the bytes are durable (synced); until then nothing is
   * visible under the key. If the source throws, nothing is kept and its error is thrown on.
   */
  put(key: string, source: AsyncIterable<Uint8Array>): Promise<void>;
  /** The whole blob. Throws {@link BlobMissing}, or {@link BlobsUnavailable} if the storage cannot be reached. */
  read(key: string): Promise<Buffer>;
  /** As a stream, with its size in bytes. Throws as `read`. */
  open(key: string): Promise<{ stream: Readable; bytes: number }>;
  /** Nothing happens if there is none. */
  remove(key: string): Promise<void>;
  /** Every key that begins with `prefix`, in order. */
  list(prefix: string): AsyncIterable<string>;
  /** Bytes left for new blobs; undefined where there is no such bound. Throws {@link BlobsUnavailable}. */
  freeBytes(): Promise<number | undefined>;
}

export class BlobMissing extends Error {
  readonly code = 'blob-missing';
  constructor(key: string, options?: ErrorOptions) {
    super(`no blob ${key}`, options);
  }
}

export class BlobsUnavailable extends Error {
  readonly code = 'blobs-unavailable';
}
