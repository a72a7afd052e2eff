import { randomUUID } from 'node:crypto';
import { largeBytes } from '../pipeline/piece.ts';
import type { AcceptedImage, UploadAnswer } from './answers.ts';
import { uploadForm } from './form.ts';
import { uploadInPieces } from './pieces.ts';
import { type Requests, uploadIdle } from './requests.ts';

export interface UploadOptions {
  /**
   * A repeated call with the same key and file is answered alike and stores nothing; of a large file it sends only what
   * the server does not have yet.
   */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Told how many bytes of the file have been sent. */
  readonly onSent?: (bytes: number) => void;
  /** Of a large file: told how many bytes the server has for good, when it is asked and after each piece. */
  readonly onKept?: (bytes: number) => void;
}

/** A file's name and what is in it. */
export interface NamedContent {
  readonly name: string;
  readonly content: Blob | Uint8Array<ArrayBuffer>;
}

/** One file in one request. */
const uploadWhole = async (
  { json, stranger }: Requests,
  { name, content }: NamedContent,
  idempotencyKey: string | undefined,
  { signal, onSent }: UploadOptions,
): Promise<AcceptedImage> => {
  const idle = uploadIdle();
  const { body, headers } = uploadForm(name, content, (bytes) => {
    idle.moved();
    onSent?.(bytes);
  });
  const init = {
    ...{ body, duplex: 'half' as const },
    headers: {
      ...headers,
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    },
    ...(signal === undefined ? {} : { signal }),
  };
  const { images } = await json<Partial<UploadAnswer>>('POST', '/upload', init, idle).finally(idle.stop);
  if (images?.[0] === undefined) throw stranger();
  return images[0];
};

/** Uploads one file: in pieces if it is large and the server takes them, else as a whole. Throws ClientError. */
export const uploadFile = async (
  requests: Requests,
  file: NamedContent,
  options: UploadOptions,
): Promise<AcceptedImage> => {
  const { idempotencyKey } = options;
  const content = file.content instanceof Blob ? file.content : new Blob([file.content]);
  if (content.size > largeBytes) {
    const named = { name: file.name, content };
    const image = await uploadInPieces(requests, named, idempotencyKey ?? randomUUID(), options);
    if (image !== undefined) return image;
  }
  return uploadWhole(requests, file, idempotencyKey, options);
};
