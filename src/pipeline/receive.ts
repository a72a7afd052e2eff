import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { asBuffer } from '../as-buffer.ts';
import type { Blobs } from '../blobs/blobs.ts';
import type { NewImage } from '../store/store.ts';
import { blobKey } from './image-id.ts';
import { acceptedNames, headBytes, imageType } from './image-type.ts';

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

class Stop extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}
const refuse = (code: Refusal['code'], detail: string): Refusal => ({ kind: 'refused', code, detail });
const unsupported = (type: string | undefined): Refusal => {
  const found = type === undefined ? 'its bytes are of no known image type' : `its bytes are ${type}`;
  return refuse('unsupported-type', `the file is no ${acceptedNames} image: ${found}`);
};
export const tooLarge = (maxFileBytes: number): Refusal =>
  refuse('file-too-large', `the file is larger than the limit of ${maxFileBytes} bytes`);
export const emptyFile = refuse('empty-file', 'the file has no bytes');

/** Why a file with this beginning is not taken; undefined if it may be. */
export const refusalOfHead = async (head: Buffer): Promise<Refusal | undefined> => {
  const type = await imageType(head);
  return type.kind === 'unsupported' ? unsupported(type.found) : undefined;
};

const readHead = async (source: AsyncIterator<Uint8Array>): Promise<Buffer> => {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < headBytes) {
    const next = await source.next();
    if (next.done) break;
    const { value } = next;
    // As a rule the first chunk is enough, and is not copied.
    head = head.length === 0 ? asBuffer(value) : Buffer.concat([head, value]);
  }
  return head;
};

/** Nothing that comes behind an unread file in the same request would ever arrive. */
const readToEnd = async (source: AsyncIterator<Uint8Array>): Promise<void> => {
  while (!(await source.next()).done);
};

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
 * bytes are durable. A refused source is read to its end, too. Throws what the source
 * throws (a connection cut off half-way) and the faults of `blobs`. Repeated with the same `id` it stores the same blob.
 */
export const receive = async (
  { blobs, maxFileBytes, pipeline }: ReceiveContext,
  source: AsyncIterable<Uint8Array>,
  filename: string | undefined,
  id = uuidv7(),
): Promise<Received> => {
  const iterator = source[Symbol.asyncIterator]();
  const head = await readHead(iterator);
  if (head.length === 0) return emptyFile;
  const type = await imageType(head);
  if (type.kind === 'unsupported') {
    await readToEnd(iterator);
    return unsupported(type.found);
  }

  const hash = createHash('sha256');
  let bytes = 0;
  async function* measured(): AsyncGenerator<Uint8Array> {
    for (let chunk: Uint8Array | undefined = head; chunk !== undefined; ) {
      bytes += chunk.length;
      if (bytes > maxFileBytes) throw new Stop(tooLarge(maxFileBytes));
      hash.update(chunk);
      yield chunk;
      const next: IteratorResult<Uint8Array> = await iterator.next();
      chunk = next.done ? undefined : next.value;
    }
  }

  const blob = blobKey(id, type.ending);
  try {
    await blobs.put(blob, measured());
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    await readToEnd(iterator);
    return error.refusal;
  }
  const sha256 = hash.digest('hex');
  const { contentType } = type;
  return {
    kind: 'received',
    image: { id, blob, filename: displayName(filename), contentType, bytes, sha256, pipeline },
  };
};
