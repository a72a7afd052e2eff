import { type DetailedError, Upload } from 'tus-js-client';
import { noteStatus } from './api.ts';
import { fingerprintOf } from './fingerprint.ts';
import { hold } from './hold.ts';
import {
  failureOf,
  isPassing,
  type Transfer,
  type TransferOutcome,
  type TransferProgress,
} from './transfer.ts';

/** A refusal is noticed, and what is sent is safe, after each piece. */
const pieceBytes = 8 * 2 ** 20;
/** Between tries without a byte of progress in between, in ms: five minutes in all. */
const retryDelays = [500, 1000, 2000, 4000, 8000, ...Array<number>(19).fill(15_000)];

const statusOf = (error: Error | DetailedError): number =>
  'originalResponse' in error ? (error.originalResponse?.getStatus() ?? 0) : 0;
const bodyOf = (error: Error | DetailedError): string =>
  'originalResponse' in error ? (error.originalResponse?.getBody() ?? '') : '';

/** `remembered`: whether where it stands is kept in the browser, and what is kept there is gone on with. */
const send = (
  file: File,
  fingerprint: string,
  remembered: boolean,
  progress: TransferProgress,
  signal: AbortSignal,
): Promise<TransferOutcome> =>
  new Promise((resolve) => {
    const upload = new Upload(file, {
      endpoint: new URL('uploads', document.baseURI).href,
      fingerprint: () => Promise.resolve(fingerprint),
      storeFingerprintForResuming: remembered,
      chunkSize: pieceBytes,
      retryDelays,
      metadata: { filename: file.name },
      removeFingerprintOnSuccess: true,
      onProgress: (sent, total) => progress.sent(total > 0 ? sent / total : 1),
      onShouldRetry: (error) => {
        const status = statusOf(error);
        // 409 and 423: an earlier connection of ours, whose end the server has not noticed yet.
        const again = isPassing(status) || status === 409 || status === 423;
        if (again) progress.stalled();
        return again && !signal.aborted;
      },
      onSuccess: ({ lastResponse }) => {
        const id = lastResponse.getHeader('Gantry-Image-Id');
        resolve(id ? { kind: 'accepted', ids: [id] } : failureOf(lastResponse.getStatus(), ''));
      },
      onError: (error) => {
        const status = statusOf(error);
        if (status > 0) noteStatus(status);
        resolve(failureOf(status, bodyOf(error)));
      },
    });
    signal.addEventListener(
      'abort',
      () => {
        resolve({ kind: 'cancelled' });
        // What the server has of it goes now rather than in a day; if that fails, then.
        upload.abort(true).catch(() => undefined);
      },
      { once: true },
    );
    (remembered ? upload.findPreviousUploads() : Promise.resolve([]))
      .catch(() => [])
      .then(([previous]) => {
        if (signal.aborted) return;
        if (previous) upload.resumeFromPreviousUpload(previous);
        upload.start();
      });
  });

/**
 * To `/uploads` (tus), going on by itself after a broken connection or a restart of the server. Where an upload stands is kept in the
 * browser, so that the same file chosen again after a reload goes on, too. Chosen again while it is being sent, it is an
 * upload of its own: two would break each other off.
 */
export const transferInPieces: Transfer = async (file, _key, progress, signal) => {
  const fingerprint = `${await fingerprintOf(file)}-${new URL('uploads', document.baseURI).href}`;
  const release = await hold(fingerprint);
  try {
    return await send(file, fingerprint, release !== null, progress, signal);
  } finally {
    release?.();
  }
};
