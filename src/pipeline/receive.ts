import { createHash } from 'node:crypto';
import { fileTypeFromBuffer } from 'file-type';
import { v7 as uuidv7 } from 'uuid';
import type { Blobs } from '../blobs/blobs.ts';
import type { NewImage } from '../store/store.ts';

/** Content types taken, and the ending of their blobs' keys. */
const accepted: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/apng': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/tiff': 'tiff',
  'image/avif': 'avif',
};
export const acceptedNames = 'JPEG, PNG, WebP, GIF, TIFF or AVIF';

/** A file that is not taken, and why; nothing of it is kept. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: 'unsupported-type' | 'file-too-large' | 'empty-file';
  readonly detail: string;
}
export type Received = { readonly kind: 'received'; readonly image: NewImage } | Refusal;

export interface ReceiveContext {
  readonly blobs: Blobs;
  readonly maxFileBytes: number;
  /** Name of the model that the images are meant for. */
  readonly pipeline: string;
}

/** file-type looks at no more than this. */
const headBytes = 4100;

class Stop extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}
const refuse = (code: Refusal['code'], detail: string): Refusal => ({ kind: 'refused', code, detail });

const readHead = async (source: AsyncIterator<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < headBytes) {
    const next = await source.next();
    if (next.done) break;
    chunks.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(chunks);
};

/** Nothing that comes behind an unread file in the same request would ever arrive. */
const readToEnd = async (source: AsyncIterator<Uint8Array>): Promise<void> => {
  while (!(await source.next()).done);
};

/** The content type that the first bytes tell. */
const sniff = async (head: Buffer): Promise<string | undefined> => {
  const type = (await fileTypeFromBuffer(head))?.mime;
  // A TIFF's directory may lie at its end (TIFF 6.0, section 2); file-type gives up if that is beyond the head.
  const tiff = ['II*\0', 'MM\0*'].includes(head.toString('latin1', 0, 4));
  return type ?? (tiff ? 'image/tiff' : undefined);
};

/** `2026/11/23/<id>.jpg`: sharded by the day (UTC) of the upload. */
const blobKey = (id: string, ending: string): string =>
  `${new Date().toISOString().slice(0, 10).replaceAll('-', '/')}/${id}.${ending}`;

/**
 * A name that is safe to show and to put in a header: one path segment, no control characters, no marks that
 * change the writing direction, at most 255 characters.
 */
export const displayName = (given: string | undefined): string => {
  const segment = (given ?? '').split(/[\\/]/).at(-1) ?? '';
  const name = segment
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .trim();
  return [...name].slice(0, 255).join('') || 'unnamed';
};

/**
 * Takes one file: decides its type from its bytes, hashes it, and stores it. When it resolves `received`, the
 * bytes are durable. A refused source is read to its end, too. Throws what the source throws (a connection cut off half-way) and the faults of `blobs`.
 */
export const receive = async (
  { blobs, maxFileBytes, pipeline }: ReceiveContext,
  source: AsyncIterable<Uint8Array>,
  filename: string | undefined,
): Promise<Received> => {
  const iterator = source[Symbol.asyncIterator]();
  const head = await readHead(iterator);
  if (head.length === 0) return refuse('empty-file', 'the file has no bytes');
  const type = await sniff(head);
  const ending = type === undefined ? undefined : accepted[type];
  if (type === undefined || ending === undefined) {
    await readToEnd(iterator);
    const found = type === undefined ? 'its bytes are of no known image type' : `its bytes are ${type}`;
    return refuse('unsupported-type', `the file is no ${acceptedNames} image: ${found}`);
  }

  const hash = createHash('sha256');
  let bytes = 0;
  async function* measured(): AsyncGenerator<Uint8Array> {
    for (let chunk: Uint8Array | undefined = head; chunk !== undefined; ) {
      bytes += chunk.length;
      if (bytes > maxFileBytes) {
        throw new Stop(
          refuse('file-too-large', `the file is larger than the limit of ${maxFileBytes} bytes`),
        );
      }
      hash.update(chunk);
      yield chunk;
      const next: IteratorResult<Uint8Array> = await iterator.next();
      chunk = next.done ? undefined : next.value;
    }
  }

  const id = uuidv7();
  const blob = blobKey(id, ending);
  try {
    await blobs.put(blob, measured());
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    await readToEnd(iterator);
    return error.refusal;
  }
  const contentType = type === 'image/apng' ? 'image/png' : type;
  const sha256 = hash.digest('hex');
  return {
    kind: 'received',
    image: { id, blob, filename: displayName(filename), contentType, bytes, sha256, pipeline },
  };
};
