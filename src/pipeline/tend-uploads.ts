import type { Blobs } from '../blobs/blobs.ts';
import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Finish, removeParts } from './finish.ts';
import { type Repeating, repeating } from './repeating.ts';

/** Small, so that requests between two steps never wait long. */
const batch = 100;

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

/**
 * Finishes uploads that are complete and whose server died before it could, ends those whose time is over, and removes
 * what ended ones have left.
 */
export const startTendingUploads = (context: TendContext): Repeating => {
  const { store, log, finish, intervalMs, idleMs, rememberMs } = context;
  /** One that fails must not keep the others waiting. */
  const each = async (ids: readonly string[], what: string, step: (id: string) => Promise<unknown>) => {
    for (const id of ids)
      await step(id).catch((err: unknown) => log.warn({ err, uploadId: id }, `${what}; it is tried again`));
  };
  return repeating('tending uploads', intervalMs, log, async () => {
    const complete = await store.completeUploads(ago(idleMs), batch);
    await each(complete, 'an upload could not be finished', (id) => finish(id));
    const expired = await store.expireUploads(ago(0), batch);
    if (expired > 0) log.info({ uploads: expired }, 'unfinished uploads given up, their time was over');
    const ended = await store.endedUploads(batch);
    await each(ended, 'parts of an ended upload could not be removed', (id) => removeParts(context, id));
    await store.forgetUploads(ago(rememberMs), batch);
    return expired === batch;
  });
};
