import { largeBytes } from '../../src/pipeline/piece.ts';
import { noteStatus, type Problem } from './api.ts';
import { texts } from './texts.ts';

/**
 * How one upload ended. `refused`: the server does not want this file; `unsent`: the same may work later, and if
 * `passing` by itself.
 */
export type TransferOutcome =
  | { kind: 'accepted'; ids: readonly string[] }
  | { kind: 'refused'; reason: string }
  | { kind: 'unsent'; reason: string; passing: boolean }
  | { kind: 'cancelled' };

export interface TransferProgress {
  /** How much is sent, 0 to 1. */
  sent(share: number): void;
  /** The connection broke; it goes on by itself. */
  stalled(): void;
}
/** Sends one file. A repeated `key` is accepted once only, so trying again is harmless. */
export type Transfer = (
  file: File,
  key: string,
  progress: TransferProgress,
  signal: AbortSignal,
) => Promise<TransferOutcome>;

interface UploadAnswer extends Problem {
  readonly images?: readonly { readonly id: string }[];
  readonly refused?: readonly { readonly detail?: string }[];
}

const parse = (text: string): UploadAnswer => {
  try {
    return JSON.parse(text) as UploadAnswer;
  } catch {
    return {};
  }
};

/** Statuses that speak of the moment or the key, not of the file. */
const isTemporary = (status: number) =>
  status === 401 || status === 403 || status === 408 || status === 429 || status >= 500;
/** Statuses of a moment that passes without anybody's help; 0 is no answer at all. */
export const isPassing = (status: number): boolean =>
  status === 0 || status === 408 || status === 429 || (status >= 502 && status <= 504);

/** The server's reason for an answer that is no success. */
export const failureOf = (status: number, text: string): TransferOutcome => {
  const answer = parse(text);
  const [first] = answer.refused ?? [];
  const unknown = status === 0 ? texts.upload.unsentReason : texts.upload.noReason(status);
  const reason = first?.detail ?? answer.detail ?? answer.title ?? unknown;
  if (status !== 0 && !isTemporary(status)) return { kind: 'refused', reason };
  return { kind: 'unsent', reason, passing: isPassing(status) };
};

const outcomeOf = (status: number, text: string): TransferOutcome => {
  const ids = (parse(text).images ?? []).map(({ id }) => id);
  return status === 202 && ids.length > 0 ? { kind: 'accepted', ids } : failureOf(status, text);
};

/** To `POST /upload`, as a whole. XMLHttpRequest, because fetch reports no upload progress. */
const transferWhole: Transfer = (file, key, progress, signal) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append('image', file, file.name);
    request.upload.onprogress = ({ loaded, total }) => progress.sent(total > 0 ? loaded / total : 1);
    request.onload = () => {
      noteStatus(request.status);
      resolve(outcomeOf(request.status, request.responseText));
    };
    request.onerror = () => resolve(failureOf(0, ''));
    request.onabort = () => resolve({ kind: 'cancelled' });
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.open('POST', 'upload');
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('idempotency-key', key);
    request.send(body);
  });

export const transfer: Transfer = async (file, key, progress, signal) => {
  if (file.size <= largeBytes) return transferWhole(file, key, progress, signal);
  try {
    // The client of the protocol is of no use to most visits.
    const { transferInPieces } = await import('./transfer-in-pieces.ts');
    return await transferInPieces(file, key, progress, signal);
  } catch {
    return failureOf(0, '');
  }
};
