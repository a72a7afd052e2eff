import { BlobMissing, BlobsUnavailable } from '../blobs/blobs.ts';
import type { Refused } from './classifier.ts';
import type { Model } from './manifest.ts';
import { InferenceError, type Session } from './onnx.ts';
import { type Prepared, preprocess } from './preprocess.ts';
import type { Answer, Fault, WorkerJob } from './worker-protocol.ts';

type Read = (job: WorkerJob) => Promise<Buffer>;

export interface WorkerContext {
  readonly model: Model;
  readonly session: Session;
  /** For one batch, what fetches its originals; the fetching throws as `read` of the blobs. */
  readonly reader: () => Read;
  readonly maxPixels: number;
}

/** Pictures fetched and decoded at once: one waits for its bytes while the other has the processor. */
const concurrentDecodes = 2;

/** Microseconds are as fine as the clock tells anything. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

type Ready = Prepared & { bytes: number; fetchAt: number; fetchMs: number; decodeMs: number };

const fault = (code: Fault['code'], message: string): Fault => ({ kind: 'fault', code, message });

const prepare = async (
  { model, maxPixels }: WorkerContext,
  read: Read,
  job: WorkerJob,
): Promise<Ready | Refused | Fault> => {
  const { blob, contentType } = job;
  const begun = performance.now();
  let bytes: Buffer;
  try {
    bytes = await read(job);
  } catch (error) {
    if (error instanceof BlobsUnavailable) return fault('storage-unavailable', error.message);
    if (error instanceof BlobMissing) return fault('blob-missing', error.message);
    // Such as a key that no blob can have. An outage costs no attempt, so what is unknown must not pass for one.
    return fault('blob-missing', `${blob} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const fetched = performance.now();
  const outcome = await preprocess(model, bytes, { maxPixels, contentType });
  if (outcome.kind === 'refused') return outcome;
  const decodeMs = performance.now() - fetched;
  const fetchAt = performance.timeOrigin + begun;
  return { ...outcome, bytes: bytes.length, fetchAt, fetchMs: fetched - begun, decodeMs };
};

const mapConcurrently = async <T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<R>,
): Promise<R[]> => {
  const results: R[] = [];
  const queue = items.entries();
  const lane = async () => {
    for (const [index, item] of queue) results[index] = await run(item);
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
};

/**
 * Fetches, decodes and classifies a batch: one answer for each job, in order. Pictures that decode go through the
 * model together; if it throws, each of them is a fault. `inferMs` is the duration of that whole run, since every
 * picture of it waits for all.
 */
export const classifyBatch = async (
  context: WorkerContext,
  jobs: readonly WorkerJob[],
): Promise<Answer[]> => {
  const read = context.reader();
  const prepared = await mapConcurrently(jobs, concurrentDecodes, (job) => prepare(context, read, job));
  const ready = prepared.filter((one) => one.kind === 'prepared');
  const begun = performance.now();
  let failure: Fault | undefined;
  const classifications = await context.session.classify(ready.map(({ tensor }) => tensor)).catch((error) => {
    if (!(error instanceof InferenceError)) throw error;
    failure = fault('inference-failed', error.message);
    return [];
  });
  const inferMs = performance.now() - begun;
  const { name, version, digest } = context.model;
  return prepared.map((one): Answer => {
    if (one.kind !== 'prepared') return one;
    const classification = classifications[ready.indexOf(one)];
    if (!classification) return failure ?? fault('inference-failed', 'the model gave no answer');
    const { width, height, thumbnail, bytes, fetchAt, fetchMs, decodeMs } = one;
    return {
      kind: 'classified',
      result: { ...classification, model: { name, version, digest } },
      begunAt: { fetch: fetchAt, infer: performance.timeOrigin + begun },
      timings: { fetchMs: rounded(fetchMs), decodeMs: rounded(decodeMs), inferMs: rounded(inferMs) },
      picture: { width, height, thumbnail: thumbnail.toString('base64') },
      bytes,
    };
  });
};
