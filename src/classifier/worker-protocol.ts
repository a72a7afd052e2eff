import type { Job } from '../pipeline/message.ts';
import type { Classified, ClassifierFault, Refused } from './classifier.ts';
import type { Model } from './manifest.ts';

/** Where a worker finds originals: below a folder, or each under an address that comes with its job. */
export type WorkerImages = { readonly kind: 'folder'; readonly dir: string } | { readonly kind: 'urls' };

/** What a worker process is started with. */
export interface WorkerSettings {
  /** Checked already: the schema library would take half of a worker's start. */
  readonly model: Model;
  readonly images: WorkerImages;
  readonly maxPixels: number;
  /** The process is killed when a batch takes longer, so waiting for storage must end well before. */
  readonly deadlineMs: number;
  /** The process that started the worker: the worker ends when it is gone. */
  readonly parentPid: number;
}

export interface WorkerJob extends Pick<Job, 'blob' | 'contentType' | 'bytes'> {
  /** Where images come by `urls`: signed for this blob and a short time, so whoever has it needs no credentials. */
  readonly url?: string;
}

/** The attempt failed inside the worker; what a {@link ClassifierFault} is made of. */
export interface Fault {
  readonly kind: 'fault';
  readonly code: Extract<
    ClassifierFault['code'],
    'blob-missing' | 'storage-unavailable' | 'inference-failed'
  >;
  readonly message: string;
}
export type Answer = Classified | Refused | Fault;

/** From the parent: once the settings, then batches, one at a time. */
export type ToWorker =
  | { readonly kind: 'start'; readonly settings: WorkerSettings }
  | { readonly kind: 'batch'; readonly jobs: readonly WorkerJob[] };
/** From the worker; `rssBytes` is its resident memory. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly rssBytes: number }
  /** It cannot start; one line. */
  | { readonly kind: 'broken'; readonly message: string }
  /** One answer for each job of the batch, in order. */
  | { readonly kind: 'answers'; readonly answers: readonly Answer[]; readonly rssBytes: number };
