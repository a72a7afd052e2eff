import { randomUUID } from 'node:crypto';
import {
  ClientError,
  type GantryClient,
  type Image,
  type ImageError,
  persistently,
  type Result,
} from '../client/client.ts';
import { checkRemoval, clearUp, passing, removed } from './canary-removal.ts';

/** A picture and the label that it must get. */
export interface Canary {
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly expected: string;
}

/** What becomes of a canary. `gone`: accepted, then unknown; `not-deleted`: right, but still there; `stopped`: by a signal. */
type Outcome =
  | 'right'
  | 'wrong-label'
  | 'failed'
  | 'late'
  | 'unreachable'
  | 'refused'
  | 'gone'
  | 'not-deleted'
  | 'stopped';

interface Finding {
  readonly outcome: Outcome;
  /** One line, for people. */
  readonly message: string;
  readonly error: ImageError | null;
}
/** What `gantry canary --json` prints, on one line. What is not known is null. */
export interface Verdict extends Finding {
  readonly expected: string;
  readonly label: string | null;
  readonly confidence: number | null;
  readonly model: Result['model'] | null;
  readonly id: string | null;
  readonly state: Image['state'] | null;
  /** From the beginning of the upload until the end was seen. */
  readonly totalMs: number;
  /** Until the upload was accepted, repetitions included. */
  readonly uploadMs: number | null;
  readonly timings: Result['timings'] | null;
  readonly deleted: boolean;
}

const time = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
const answer = ({ label, confidence }: Result): string => `${label} ${(confidence * 100).toFixed(1)} %`;

const ofEnd = ({ id, state, attempts, result, error }: Image, expected: string): Finding => {
  if (state !== 'succeeded' || result === null) {
    const why = error === null ? '' : `: ${error.message} (${error.code})`;
    const tried = `${attempts} attempt${attempts === 1 ? '' : 's'}`;
    return { outcome: 'failed', message: `image ${id} is ${state} after ${tried}${why}`, error };
  }
  if (result.label === expected) return { outcome: 'right', message: answer(result), error: null };
  const { name, version } = result.model;
  const message = `expected ${expected}, but ${name} ${version} says ${answer(result)} of image ${id}`;
  return { outcome: 'wrong-label', message, error: null };
};

interface Limits {
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
  readonly keep: boolean;
}

/** Uploads the picture, waits for its end and judges. */
const watch = async (
  server: GantryClient,
  { expected, name, content }: Canary,
  { timeoutMs, stop, keep }: Limits,
): Promise<{ verdict: Omit<Verdict, 'deleted'>; image?: Image }> => {
  const begun = performance.now();
  const passedMs = () => Math.round(performance.now() - begun);
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, stop]);
  const idempotencyKey = randomUUID();
  let id: string | null = null;
  let uploadMs: number | null = null;
  const verdict = ({ outcome, ...finding }: Finding, image?: Image) => ({
    verdict: {
      outcome: stop.aborted && outcome !== 'right' ? ('stopped' as const) : outcome,
      ...finding,
      expected,
      label: image?.result?.label ?? null,
      confidence: image?.result?.confidence ?? null,
      model: image?.result?.model ?? null,
      id,
      state: image?.state ?? null,
      totalMs: passedMs(),
      uploadMs,
      timings: image?.result?.timings ?? null,
    },
    ...(image && { image }),
  });
  const ofFault = ({ code, message }: ClientError, before = ''): Finding => {
    const error = { code, message };
    if (code === 'not-found' && id !== null) {
      return { outcome: 'gone', message: `image ${id} was accepted, and is gone`, error };
    }
    const away = code === 'unreachable' || code === 'not-gantry';
    const tried = signal.aborted ? ` (tried for ${time(passedMs())})` : '';
    const text = `${before}${message}${away ? '' : ` (${code})`}${tried}`;
    return { outcome: away ? 'unreachable' : 'refused', message: text, error };
  };
  try {
    // An upload on its way is not broken off by `stop`: without its answer nobody could delete the image.
    if (!keep) await persistently(() => checkRemoval(server, signal), signal);
    const picture = { name: keep ? name : passing(name), content };
    const upload = () => server.upload(picture, { idempotencyKey, signal: timeout });
    id = (await persistently(upload, signal)).id;
    uploadMs = passedMs();
    const { kind, image, ...late } = await server.ending(id, signal);
    if (kind === 'ended') return verdict(ofEnd(image, expected), image);
    const state = image?.state ?? 'accepted';
    if ('fault' in late) return verdict(ofFault(late.fault, `image ${id} was last seen ${state}; `), image);
    const message = `image ${id} is still ${state} after ${time(passedMs())}`;
    return verdict({ outcome: 'late', message, error: null }, image);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return verdict(ofFault(error));
  }
};

/**
 * Uploads the picture, waits for its end for `timeoutMs` or until `stop`, judges, and deletes the image, and what
 * earlier canaries have left of it, unless `keep`. Uploads nothing that it may not delete. A server that is away is waited for. Whatever the server does is told in the verdict.
 */
export const runCanary = async (server: GantryClient, canary: Canary, limits: Limits): Promise<Verdict> => {
  const { verdict, image } = await watch(server, canary, limits);
  const { id, outcome, message, error } = verdict;
  if (id === null || limits.keep) return { ...verdict, deleted: false };
  const fault = await removed(server, id);
  if (fault === undefined && image !== undefined) await clearUp(server, canary, image, limits.timeoutMs);
  if (fault === undefined) return { ...verdict, deleted: true };
  return {
    ...verdict,
    outcome: outcome === 'right' ? 'not-deleted' : outcome,
    message: `${message}; image ${id} could not be deleted: ${fault.message}`,
    error: error ?? { code: fault.code, message: fault.message },
    deleted: false,
  };
};

/** A verdict as one line, for people. */
export const describeVerdict = ({ outcome, message, totalMs, uploadMs, timings }: Verdict): string => {
  if (outcome !== 'right' || uploadMs === null || timings === null) {
    return `${outcome.replace('-', ' ')}: ${message.replaceAll(/\s+/g, ' ')}`;
  }
  const { waitMs, fetchMs, decodeMs, inferMs } = timings;
  const parts = { upload: uploadMs, wait: waitMs, fetch: fetchMs, decode: decodeMs, model: inferMs };
  const each = Object.entries(parts).map(([name, ms]) => `${name} ${time(ms)}`);
  return `right: ${message} in ${time(totalMs)} (${each.join(', ')})`;
};
