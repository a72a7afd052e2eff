import { noteStatus, type Problem } from './api.ts';
import { texts } from './texts.ts';

/** How one upload ended. `refused`: the server does not want this file; `unsent`: the same may work later. */
export type TransferOutcome =
  | { kind: 'accepted'; ids: readonly string[] }
  | { kind: 'refused'; reason: string }
  | { kind: 'unsent'; reason: string }
  | { kind: 'cancelled' };

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

const outcomeOf = (status: number, text: string): TransferOutcome => {
  const answer = parse(text);
  const [first] = answer.refused ?? [];
  const ids = (answer.images ?? []).map(({ id }) => id);
  if (status === 202 && ids.length > 0) return { kind: 'accepted', ids };
  const reason = first?.detail ?? answer.detail ?? answer.title ?? texts.upload.noReason(status);
  return { kind: isTemporary(status) ? 'unsent' : 'refused', reason };
};

/**
 * Sends one file to `POST /upload`. A repeated `key` is accepted once only, so trying again is harmless.
 * XMLHttpRequest, because fetch reports no upload progress.
 */
export const transfer = (
  file: File,
  key: string,
  onProgress: (sentShare: number) => void,
  signal: AbortSignal,
): Promise<TransferOutcome> =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append('image', file);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 1);
    request.onload = () => {
      noteStatus(request.status);
      resolve(outcomeOf(request.status, request.responseText));
    };
    request.onerror = () => resolve({ kind: 'unsent', reason: texts.upload.unsentReason });
    request.onabort = () => resolve({ kind: 'cancelled' });
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.open('POST', 'upload');
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('idempotency-key', key);
    request.send(body);
  });
