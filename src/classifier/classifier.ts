import type { ImageError, Result } from '../pipeline/image.ts';
import type { Job, Picture } from '../pipeline/message.ts';

/** What is known of a picture once the model has seen it; waiting time and attempts are the pipeline's to add. */
export interface Classified {
  readonly kind: 'classified';
  readonly result: Omit<Result, 'timings' | 'attempts'>;
  readonly timings: Omit<Result['timings'], 'waitMs'>;
  /** When the worker began with them; milliseconds since 1970. */
  readonly begunAt: { readonly fetch: number; readonly infer: number };
  readonly picture: Picture;
  /** Bytes fetched. */
  readonly bytes: number;
}
/** The picture itself cannot be used, whoever tries: broken, too large, of an unsupported kind. */
export interface Refused {
  readonly kind: 'refused';
  readonly error: ImageError;
}

export interface Classifier {
  /** Throws {@link ClassifierFault} when another attempt may help. */
  classify(job: Job): Promise<Classified | Refused>;
}

/**
 * The attempt failed, not the picture. `storage-unavailable` is an outage and no image's fault: it costs no attempt.
 */
export class ClassifierFault extends Error {
  readonly code:
    | 'worker-crashed'
    | 'deadline-exceeded'
    | 'inference-failed'
    | 'blob-missing'
    | 'storage-unavailable'
    | 'stopped';
  constructor(code: ClassifierFault['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
