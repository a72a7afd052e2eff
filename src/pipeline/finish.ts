import { v7 as uuidv7 } from 'uuid';
import { BlobMissing, type Blobs } from '../blobs/blobs.ts';
import type { Logger } from '../observability/log.ts';
import type { NewImage, Store } from '../store/store.ts';
import type { StoredUpload, UploadRefusal } from '../store/uploads.ts';
import { receive } from './receive.ts';
import type { Submit } from './submit.ts';

/** Who asks for it. */
export interface FinishCause {
  /** W3C Trace Context, for the job. */
  readonly traceparent?: string | undefined;
  /** API key that the request came with. */
  readonly keyId?: string | undefined;
}
export interface FinishContext {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly submit: Submit;
  readonly maxFileBytes: number;
  /** Name of the model that the images are meant for. */
  readonly pipeline: string;
  readonly log: Logger;
  /** The image was made, and nobody has heard of it before. */
  readonly onAccepted: (image: NewImage, cause: FinishCause) => void;
  /** This call has ended the upload: its file is none that is taken. */
  readonly onRefused: (code: string) => void;
}
export type Finished =
  | { readonly kind: 'finished'; readonly imageId: string }
  | { readonly kind: 'refused'; readonly refusal: UploadRefusal }
  | { readonly kind: 'gone' };

/** How an upload has ended; undefined while it is open. */
export const endOf = ({ state, imageId, refusal }: StoredUpload): Finished | undefined => {
  if (state === 'finished' && imageId !== null) return { kind: 'finished', imageId };
  if (state === 'refused' && refusal !== null) return { kind: 'refused', refusal };
  return state === 'open' ? undefined : { kind: 'gone' };
};

async function* bytesOf(blobs: Blobs, keys: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const key of keys) yield* (await blobs.open(key)).stream as AsyncIterable<Uint8Array>;
}

/** Removes the blobs of an ended upload's parts, and then forgets them. Safe to repeat. */
export const removeParts = async (
  { store, blobs }: Pick<FinishContext, 'store' | 'blobs'>,
  id: string,
): Promise<void> => {
  for (const key of (await store.upload(id))?.parts ?? []) await blobs.remove(key);
  await store.partsRemoved(id);
};

const make = async (context: FinishContext, id: string, cause: FinishCause): Promise<void> => {
  const { traceparent } = cause;
  const { store, blobs, submit, onAccepted, onRefused } = context;
  const imageId = await store.claimUpload(id, uuidv7());
  const upload = await store.upload(id);
  if (imageId === undefined || upload?.state !== 'open') return;
  const source = bytesOf(blobs, upload.parts);
  // Whatever stops it half-way leaves no file open.
  const received = await receive(context, source, upload.filename, imageId).finally(() =>
    source.return(undefined),
  );
  if (received.kind === 'refused') {
    const { code, detail } = received;
    if (await store.endUpload(id, { state: 'refused', code, detail })) onRefused(code);
    return;
  }
  const { image } = received;
  const trace = traceparent === undefined ? {} : { traceparent };
  const { kind } = await submit({ images: [image], upload: id, ...trace });
  if (kind === 'accepted') onAccepted(image, cause);
  // Another server was faster, and its image was deleted since: what we have just stored belongs to nobody.
  else if ((await store.blobOf(image.id)) !== image.blob) await blobs.remove(image.blob);
};

/**
 * Makes the image of an upload that has all its bytes. Whoever calls it, however often, at once or after a crash at
 * any point: there is one image, and all are told the same. Undefined if bytes are lacking still.
 */
export type Finish = (id: string, cause?: FinishCause) => Promise<Finished | undefined>;

export const createFinish = (context: FinishContext): Finish => {
  const { store, log } = context;
  const running = new Map<string, Promise<Finished | undefined>>();

  const ended = async (id: string): Promise<Finished | undefined> => {
    const upload = await store.upload(id);
    return upload === undefined ? { kind: 'gone' } : endOf(upload);
  };
  const finish = async (id: string, cause: FinishCause): Promise<Finished | undefined> => {
    const before = await ended(id);
    if (before !== undefined) return before;
    await make(context, id, cause).catch(async (error: unknown) => {
      if (!(error instanceof BlobMissing)) throw error;
      // Finished by another server, which has removed the parts; else they are lost, and the upload with them.
      if (await store.endUpload(id, { state: 'gone' }))
        log.error({ err: error, uploadId: id }, 'a part of an upload is missing; the upload is given up');
    });
    const outcome = await ended(id);
    if (outcome !== undefined)
      await removeParts(context, id).catch((err: unknown) => {
        log.warn({ err, uploadId: id }, 'parts of an ended upload could not be removed; it is tried again');
      });
    return outcome;
  };
  return (id, cause = {}) => {
    const shared =
      running.get(id) ??
      finish(id, cause).finally(() => {
        running.delete(id);
      });
    running.set(id, shared);
    return shared;
  };
};
