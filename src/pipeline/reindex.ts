import { createHash } from 'node:crypto';
import type { Blobs } from '../blobs/blobs.ts';
import type { NewImage, Store } from '../store/store.ts';
import { idOfBlob } from './image-id.ts';
import { headBytes, imageType } from './image-type.ts';
import { partOf } from './part-key.ts';

export interface ReindexContext {
  readonly store: Store;
  readonly blobs: Blobs;
  /** Name of the model that the images are meant for. */
  readonly pipeline: string;
  readonly onProgress: (done: number, total: number) => void;
}

export interface Reindexed {
  /** Originals that have an image again, queued. */
  readonly restored: number;
  /** Originals whose image the store knows. */
  readonly known: number;
  /** Keys that are none of ours, or whose bytes are no image that we take. */
  readonly skipped: readonly string[];
}

/** One transaction each. */
const batch = 64;

/** What the original itself tells; the name that its uploader gave it is lost. Undefined if it is no image. */
const describe = async (
  { blobs, pipeline }: ReindexContext,
  id: string,
  blob: string,
): Promise<NewImage | undefined> => {
  const { stream, bytes } = await blobs.open(blob);
  const hash = createHash('sha256');
  let head = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (head.length < headBytes) head = Buffer.concat([head, chunk]);
  }
  const type = await imageType(head.subarray(0, headBytes));
  if (type.kind === 'unsupported') return undefined;
  const filename = blob.split('/').at(-1) ?? blob;
  return { id, blob, filename, contentType: type.contentType, bytes, sha256: hash.digest('hex'), pipeline };
};

/**
 * Gives every original that the store knows no image of an image again: queued, under its old ID and so with its old
 * time. Images that the store knows are left alone; running it again does nothing. Throws what store and blobs throw.
 */
export const reindex = async (context: ReindexContext): Promise<Reindexed> => {
  const { store, blobs, onProgress } = context;
  const keys: { id: string; blob: string }[] = [];
  const skipped: string[] = [];
  for await (const blob of blobs.list('')) {
    const id = idOfBlob(blob);
    if (id === undefined) {
      // A piece of a file is no image; its upload is lost with the store.
      if (partOf(blob) === undefined) skipped.push(blob);
    } else keys.push({ id, blob });
  }
  let restored = 0;
  let known = 0;
  for (let at = 0; at < keys.length; at += batch) {
    const part = keys.slice(at, at + batch);
    const existing = await store.existing(part.map(({ id }) => id));
    const images: NewImage[] = [];
    for (const { id, blob } of part) {
      if (existing.has(id)) {
        known += 1;
        continue;
      }
      const image = await describe(context, id, blob);
      if (image === undefined) skipped.push(blob);
      else images.push(image);
    }
    if (images.length > 0) await store.accept([{ images }], 0);
    restored += images.length;
    onProgress(Math.min(at + batch, keys.length), keys.length);
  }
  return { restored, known, skipped };
};
