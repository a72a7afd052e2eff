import type { Generated, Kysely, Transaction } from 'kysely';
import type { ImageState } from '../pipeline/image.ts';
import type { ImageEvent } from './store.ts';
import type { UploadState } from './uploads.ts';

/** Times are milliseconds since 1970, JSON is text: both mean the same in every database. */
export interface Tables {
  images: ImageRow;
  /** Jobs that the broker has not confirmed; `due_at` is when the relay may take one. */
  outbox: {
    image_id: string;
    generation: number;
    due_at: number;
    traceparent: string | null;
    /** Null for rows of a Gantry that did not note it. */
    added_at: number | null;
  };
  /** Every result that ever came, also those that changed no image. */
  results: {
    image_id: string;
    generation: number;
    model_digest: string;
    attempt: number;
    result: string;
    recorded_at: number;
  };
  /** Called after the format of the first ones; a JPEG by now. */
  thumbnails: { image_id: string; webp: Uint8Array };
  events: {
    seq: Generated<number>;
    image_id: string;
    type: ImageEvent['type'];
    image: string | null;
    at: number;
    /** W3C Trace Context of what led to it. */
    traceparent: string | null;
  };
  idempotency_keys: { key: string; fingerprint: string; response: string; created_at: number };
  uploads: UploadRow;
  /** What has come of an upload, piece by piece; gone once it has ended and its blobs are removed. */
  upload_parts: { upload_id: string; start: number; blob: string };
  /**
   * How many images came into being with a state or a label, less those that ceased to have it; and how many were
   * accepted and finished (`name` is empty). By the second (`at`); 0 is what was merged.
   */
  counts: { at: number; kind: 'state' | 'label' | 'accepted' | 'finished'; name: string; n: number };
  /** One row, made with the table: see `Uploads.installation`. */
  installation: { id: string };
  /** One row, written to see whether writing works. */
  heartbeat: { id: number; at: number };
}

export interface ImageRow {
  id: string;
  state: ImageState;
  filename: string;
  /** The file name as searches compare it. */
  filename_folded: string;
  content_type: string;
  bytes: number;
  sha256: string;
  /** Key of the original; empty once it was removed on purpose. */
  blob: string;
  width: number | null;
  height: number | null;
  pipeline: string;
  generation: number;
  attempts: number;
  /** The result's label; null unless `succeeded`. */
  label: string | null;
  result: string | null;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  /** When this generation was accepted. */
  submitted_at: number;
  updated_at: number;
  /** Last change or requeue of an unfinished image, null once it is final: what the sweep goes by. */
  waiting_since: number | null;
}

export interface UploadRow {
  id: string;
  state: UploadState;
  filename: string;
  /** Of the whole file. */
  bytes: number;
  received: number;
  /** What the image is called, or is going to be, once its making has begun. */
  image_id: string | null;
  /** JSON; null unless `refused`. */
  refusal: string | null;
  updated_at: number;
  expires_at: number;
}

export type Db = Kysely<Tables>;
export type Trx = Transaction<Tables>;
