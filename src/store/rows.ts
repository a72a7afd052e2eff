import type { Image, Result } from '../pipeline/image.ts';
import { timeOf } from '../pipeline/image-id.ts';
import type { Job } from '../pipeline/message.ts';
import type { Kind } from './batch.ts';
import type { ImageRow } from './schema.ts';
import type { NewImage, StoredOriginal } from './store.ts';

export const imageColumns = [
  'id',
  'state',
  'filename',
  'content_type',
  'bytes',
  'sha256',
  'width',
  'height',
  'pipeline',
  'generation',
  'attempts',
  'result',
  'error_code',
  'error_message',
  'created_at',
  'updated_at',
] as const satisfies (keyof ImageRow)[];

/** Every column of an image's row. */
export const imageRowColumns = {
  ...{ id: 'text', state: 'text', filename: 'text', filename_folded: 'text', content_type: 'text' },
  ...{ bytes: 'number', sha256: 'text', blob: 'text', width: 'number', height: 'number', pipeline: 'text' },
  ...{ generation: 'number', attempts: 'number', label: 'text', result: 'text' },
  ...{ error_code: 'text', error_message: 'text' },
  ...{ created_at: 'number', submitted_at: 'number', updated_at: 'number', waiting_since: 'number' },
} as const satisfies Record<keyof ImageRow, Kind>;
export const imageRowNames = Object.keys(imageRowColumns).join(', ');

export const iso = (ms: number): string => new Date(ms).toISOString();

/** Milliseconds of an ISO 8601 time. Throws RangeError if it is none. */
export const millis = (time: string): number => {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new RangeError(`no time: ${time}`);
  return ms;
};

const lastTime = 2 ** 48 - 1;

/** The least ID of a time: IDs that are not less were made then or later. */
export const idBound = (ms: number): string => {
  const hex = Math.min(Math.max(ms, 0), lastTime).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
};

/** Letter case and the way accents are encoded make no difference to a search. */
export const folded = (text: string): string => text.normalize('NFC').toLowerCase();

/**
 * `createdAt` is the time in the ID. So time filters are ranges of the primary key, which is also the order of
 * lists, and combine with every other filter without an index of their own.
 */
export const newImageRow = (image: NewImage, now: number): ImageRow => ({
  id: image.id,
  state: 'queued',
  filename: image.filename,
  filename_folded: folded(image.filename),
  content_type: image.contentType,
  bytes: image.bytes,
  sha256: image.sha256,
  blob: image.blob,
  width: null,
  height: null,
  pipeline: image.pipeline,
  generation: 1,
  attempts: 0,
  label: null,
  result: null,
  error_code: null,
  error_message: null,
  created_at: timeOf(image.id),
  submitted_at: now,
  updated_at: now,
  waiting_since: now,
});

export const imageOf = (row: Pick<ImageRow, (typeof imageColumns)[number]>): Image => ({
  id: row.id,
  state: row.state,
  filename: row.filename,
  contentType: row.content_type,
  bytes: row.bytes,
  sha256: row.sha256,
  width: row.width,
  height: row.height,
  pipeline: row.pipeline,
  generation: row.generation,
  attempts: row.attempts,
  createdAt: iso(row.created_at),
  updatedAt: iso(row.updated_at),
  result: row.result === null ? null : (JSON.parse(row.result) as Result),
  error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
});

/** The original's key as the port tells it: null once the original was removed. */
export const blobIn = ({ blob }: Pick<ImageRow, 'blob'>): string | null => (blob === '' ? null : blob);

export const originalOf = (row: Pick<ImageRow, 'id' | 'state' | 'blob'>): StoredOriginal => ({
  id: row.id,
  state: row.state,
  blob: blobIn(row),
});

/** The job that an image in the queue is worth now. */
export const jobOf = (row: ImageRow, traceparent: string | null = null): Job => ({
  version: 1,
  id: row.id,
  blob: row.blob,
  contentType: row.content_type,
  bytes: row.bytes,
  pipeline: row.pipeline,
  generation: row.generation,
  attempt: Math.max(1, row.attempts),
  submittedAt: iso(row.submitted_at),
  ...(traceparent === null ? {} : { traceparent }),
});
