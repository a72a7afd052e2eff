import type { Blobs } from '../blobs/blobs.ts';
import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Finish, removeParts } from './finish.ts';
import { partPrefix } from './part-key.ts';
import { type Repeating, repeating } from './repeating.ts';
import { pages, strayParts } from './stray-parts.ts';

/** Small, so that requests between two steps never wait long. */
const batch = 100;
/** To find stray parts, all there are must be listed. */
const strayEveryMs = 3_600_000;
/** Far longer than any request takes that may still give a part its row. */
const strayAfterMs = 86_400_000;

export interface TendContext {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly finish: Finish;
  readonly log: Logger;
  readonly intervalMs: number;
  /** How long a complete upload may wait for its client before it is finished without, in ms. */
  readonly idleMs: number;
  /** How long an ended upload is remembered after its time, in ms. */
  readonly rememberMs: number;
}

const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();

/** Removes parts that no upload knows of. */
const removeStrayParts = async ({ store, blobs, log, rememberMs }: TendContext): Promise<void> => {
  let removed = 0;
  for await (const keys of pages(blobs.list(partPrefix(await store.installation()))))
    for (const key of await strayParts(store, keys, Math.max(strayAfterMs, rememberMs))) {
      await blobs.remove(key);
      removed += 1;
    }
  if (removed > 0) log.info({ parts: removed }, 'parts that belong to no upload removed');
};

/**
 * Finishes uploads that are complete and whose server died before it could, ends those whose time is over, and removes
 * what ended ones, and servers that died in the middle of a part, have left.
 */
export const startTendingUploads = (context: TendContext): Repeating => {
  const { store, log, finish, intervalMs, idleMs, rememberMs } = context;
  /** One that fails must not keep the others waiting. */
  const each = async (ids: readonly string[], what: string, step: (id: string) => Promise<unknown>) => {
    for (const id of ids)
      await step(id).catch((err: unknown) => log.warn({ err, uploadId: id }, `${what}; it is tried again`));
  };
  let lookedForStray = Number.NEGATIVE_INFINITY;
  return repeating('tending uploads', intervalMs, log, async () => {
    const complete = await store.completeUploads(ago(idleMs), batch);
    await each(complete, 'an upload could not be finished', (id) => finish(id));
    const expired = await store.expireUploads(ago(0), batch);
    if (expired > 0) log.info({ uploads: expired }, 'unfinished uploads given up, their time was over');
    const ended = await store.endedUploads(batch);
    await each(ended, 'parts of an ended upload could not be removed', (id) => removeParts(context, id));
    const forgotten = await store.forgetUploads(ago(rememberMs), batch);
    if (performance.now() - lookedForStray > strayEveryMs) {
      await removeStrayParts(context);
      lookedForStray = performance.now();
    }
    return expired === batch || forgotten === batch;
  });
};
