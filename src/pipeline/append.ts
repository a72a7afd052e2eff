import type { Blobs } from '../blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import type { StoredUpload, UploadRefusal } from '../store/uploads.ts';
import { headBytes } from './image-type.ts';
import { partKey } from './part-key.ts';
import { refusalOfHead } from './receive.ts';

/**
 * What a killed process can lose of a request, at most; with what one read of a connection brings on top it is still
 * a single request to S3.
 */
const partBytes = 8 * 2 ** 20 - 65_536;

export interface AppendContext {
  readonly store: Store;
  readonly blobs: Blobs;
  /** What `Store.installation` answers. */
  readonly installation: string;
  /** How long the upload waits for its next bytes, in ms. */
  readonly keepMs: number;
  /** So many bytes are durable. */
  readonly onPart: (bytes: number) => void;
}
/**
 * `conflict`: the upload does not stand where it did, or is no longer open; `too-long`: more came than the upload's
 * length leaves room for; `refused`: by its first bytes it is no image.
 */
export type Appended =
  | { readonly kind: 'appended'; readonly received: number }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'refused'; readonly refusal: UploadRefusal };

class TooLong extends Error {}

/** Most parts that an upload may come in: tiny ones would cost more to keep than what is in them. */
export const mostParts = ({ bytes }: Pick<StoredUpload, 'bytes'>): number =>
  1000 + Math.ceil(bytes / partBytes);

/**
 * Adds a source to the end of an open upload, in durable parts of 8 MiB at most. What a source has brought before it
 * throws (a connection cut off half-way) is kept, and its error thrown on. Throws the faults of `store` and `blobs`.
 */
export const append = async (
  { store, blobs, installation, keepMs, onPart }: AppendContext,
  upload: StoredUpload,
  source: AsyncIterable<Uint8Array>,
): Promise<Appended> => {
  const iterator = source[Symbol.asyncIterator]();
  let broken: { readonly error: unknown } | undefined;
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      const { done, value } = await iterator.next();
      return done ? undefined : value;
    } catch (error) {
      broken = { error };
      return undefined;
    }
  };

  let received = upload.received;
  let chunk = await next();
  if (received === 0 && chunk !== undefined && chunk.length >= headBytes) {
    const refusal = await refusalOfHead(Buffer.from(chunk.subarray(0, headBytes)));
    if (refusal !== undefined) return { kind: 'refused', refusal };
  }
  async function* part(): AsyncGenerator<Uint8Array> {
    for (let bytes = 0; chunk !== undefined; ) {
      bytes += chunk.length;
      received += chunk.length;
      if (received > upload.bytes) throw new TooLong();
      yield chunk;
      chunk = await next();
      // The last part ends with the source, so that one byte too many is noticed before any is kept.
      if (bytes >= partBytes && received < upload.bytes) return;
    }
  }
  while (chunk !== undefined) {
    const at = received;
    const blob = partKey(installation, upload.id);
    try {
      await blobs.put(blob, part());
    } catch (error) {
      if (error instanceof TooLong) return { kind: 'too-long' };
      throw error;
    }
    const expiresAt = new Date(Date.now() + keepMs).toISOString();
    const bytes = received - at;
    if (!(await store.appendPart(upload.id, at, { blob, bytes }, expiresAt))) {
      await blobs.remove(blob);
      return { kind: 'conflict' };
    }
    onPart(bytes);
  }
  if (broken) throw broken.error;
  return { kind: 'appended', received };
};
