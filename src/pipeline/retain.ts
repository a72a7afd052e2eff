import type { Blobs } from '../blobs/blobs.ts';
import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Repeating, repeating } from './repeating.ts';

/** Small, so that uploads and results between two batches never wait long. */
const batch = 100;

export interface RetainContext {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly log: Logger;
  readonly intervalMs: number;
  /** Since the upload, in ms; undefined = for ever. Images in flight are never touched. */
  readonly keepOriginalsMs: number | undefined;
  readonly keepResultsMs: number | undefined;
  /** The store has new events. */
  readonly changed: () => void;
}

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** Removes one batch of originals whose time is over; result and thumbnail stay. Returns how many. */
const removeOriginals = async ({ store, blobs, log }: RetainContext, keepMs: number): Promise<number> => {
  const old = await store.oldOriginals(ago(keepMs), batch);
  // Noted first: from then on no one can have the image processed again, and only then may its bytes go.
  await store.originalsRemoved(old.map(({ id }) => id));
  for (const { id, blob } of old) {
    if (blob === null || (await store.blobOf(id)) !== null) continue;
    await blobs.remove(blob);
    log.debug({ imageId: id }, 'original removed, its time was over');
  }
  if (old.length > 0) log.info({ images: old.length }, 'originals removed, their time was over');
  return old.length;
};

/** Removes one batch of images whose time is over. Returns how many. */
const removeImages = async (
  { store, blobs, log, changed }: RetainContext,
  keepMs: number,
): Promise<number> => {
  const old = await store.oldImages(ago(keepMs), batch);
  for (const { id, blob } of old) {
    // The bytes first: if they cannot be removed, the image is still there for the next turn.
    if (blob !== null) await blobs.remove(blob);
    await store.remove(id);
    log.debug({ imageId: id }, 'image removed, its time was over');
  }
  if (old.length > 0) {
    changed();
    log.info({ images: old.length }, 'images removed, their time was over');
  }
  return old.length;
};

/** Removes what is older than the settings keep, batch by batch. Does nothing if both are off. */
export const startRetention = (context: RetainContext): Repeating | undefined => {
  const { keepOriginalsMs, keepResultsMs, intervalMs, log } = context;
  if (keepOriginalsMs === undefined && keepResultsMs === undefined) return undefined;
  return repeating('retention', intervalMs, log, async () => {
    const images = keepResultsMs === undefined ? 0 : await removeImages(context, keepResultsMs);
    const originals = keepOriginalsMs === undefined ? 0 : await removeOriginals(context, keepOriginalsMs);
    return images === batch || originals === batch;
  });
};
