import type { Job } from '../pipeline/message.ts';
import type { Classified, ClassifierFault, Refused } from './classifier.ts';
import type { Model } from './manifest.ts';

/** What a worker process is started with. */
export interface WorkerSettings {
  /** Checked already: the schema library would take half of a worker's start. */
  readonly model: Model;
  readonly imagesDir: string;
  readonly maxPixels: number;
  /** The process that started the worker: the worker ends when it is gone. */
  readonly parentPid: number;
}

export type WorkerJob = Pick<Job, 'blob' | 'contentType'>;

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
