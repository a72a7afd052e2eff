import { InvalidBlobKey } from '../blobs/key.ts';
import { ClassifierFault } from '../classifier/classifier.ts';
import type { WorkerImages, WorkerJob } from '../classifier/worker-protocol.ts';
import type { Job } from '../pipeline/message.ts';
import { within } from '../within.ts';

/**
 * How workers, which have no credentials, get at originals: below a folder, or each under a URL that for `seconds`
 * lets anybody who knows it read that one blob.
 */
export type ImageSource =
  | { readonly kind: 'folder'; readonly dir: string }
  | { readonly kind: 'urls'; readonly urlOf: (key: string, seconds: number) => Promise<string> };

/** Signing asks nobody, but the credentials for it may have to be fetched. */
const urlTimeoutMs = 10_000;
const shortestUrlSeconds = 300;
/** No S3 server takes a longer one. */
const longestUrlSeconds = 7 * 24 * 3600;

/** What a worker is told at its start: no more than it needs. */
export const sourceOf = (images: ImageSource): WorkerImages =>
  images.kind === 'folder' ? images : { kind: 'urls' };

/**
 * A job as a worker is given it, its URL valid for longer than the worker may take; or why there is none:
 * `storage-unavailable` if no URL is to be had, `blob-missing` for a key that no blob can have. Never rejects.
 */
export const workerJob = async (
  { blob, contentType, bytes }: Job,
  images: ImageSource,
  deadlineMs: number,
): Promise<WorkerJob | ClassifierFault> => {
  if (images.kind === 'folder') return { blob, contentType, bytes };
  const seconds = Math.max(shortestUrlSeconds, Math.ceil((2 * deadlineMs) / 1000));
  try {
    const url = await within(images.urlOf(blob, Math.min(seconds, longestUrlSeconds)), urlTimeoutMs);
    return { blob, contentType, bytes, url };
  } catch (cause) {
    const code = cause instanceof InvalidBlobKey ? 'blob-missing' : 'storage-unavailable';
    const why = cause instanceof Error ? cause.message : String(cause);
    return new ClassifierFault(code, `no URL for ${blob}: ${why}`, { cause });
  }
};
