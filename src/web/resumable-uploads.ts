import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { v5 as uuidv5 } from 'uuid';
import { append, mostParts } from '../pipeline/append.ts';
import { endOf, type Finished, removeParts } from '../pipeline/finish.ts';
import { emptyFile, tooLarge } from '../pipeline/receive.ts';
import type { NewUpload, StoredUpload, UploadRefusal } from '../store/uploads.ts';
import type { WebContext } from './context.ts';
import type { PartBody } from './part-body.ts';
import { notFound, Problem } from './problem.ts';
import type { ProblemCode } from './problem-codes.ts';
import { statusOfRefusal } from './read-upload.ts';
import { traceOf } from './request-trace.ts';
import { announcedLength, announcedName } from './tus.ts';
import { uploadWriters } from './upload-writers.ts';

/** What ended an upload has been counted where it was found. */
export class RefusedUpload extends Problem {
  constructor({ code, detail }: UploadRefusal) {
    // Written by a server that had this code.
    super(statusOfRefusal(code), code as ProblemCode, detail);
  }
}
const gone = (): Problem =>
  new Problem(410, 'upload-gone', 'the upload has expired or was given up; begin a new one');
const conflict = (offset: number): Problem =>
  new Problem(409, 'offset-conflict', `the upload stands at ${offset}; go on from there`, {
    headers: { 'upload-offset': String(offset) },
    more: { offset },
  });
/** Two that both come back at once would stop each other all the time. */
const takenOver = (): Problem =>
  new Problem(409, 'upload-resumed', 'another request goes on with this upload', {
    headers: { 'retry-after': '5' },
  });
const stopping = (): Problem =>
  new Problem(503, 'stopping', 'the server is stopping; what has come is kept, go on in a moment', {
    headers: { 'retry-after': '1', connection: 'close' },
  });

const causeOf = (request: FastifyRequest) => ({ traceparent: traceOf(request), keyId: request.apiKey?.id });

/** Of the IDs that Idempotency-Keys stand for. */
const namespace = '7d1f60a4-5f0e-4b0c-9d41-0c8a6f2f7b52';
/** How often the upload of one Idempotency-Key may begin anew, as the one before has expired or was given up. */
const mostAnew = 16;
/** Each API key's are its own. What is no secret of anybody's is not guessed all the same: it takes both keys' names. */
const idOfKey = (request: FastifyRequest, key: string, anew: number): string =>
  uuidv5(JSON.stringify([request.apiKey?.id ?? null, key, anew]), namespace);

const isGone = ({ state, received, bytes, expiresAt }: StoredUpload): boolean =>
  state === 'gone' || (state === 'open' && received < bytes && Date.parse(expiresAt) < Date.now());

/** Where an upload stands; `imageId` once there is an image. */
export interface Standing {
  readonly bytes: number;
  readonly received: number;
  readonly expiresAt: string;
  readonly imageId: string | undefined;
}

/** All of them throw the problem that the request is answered with: 404 or 410 for an upload that is not there (any more). */
export interface ResumableUploads {
  /** A new upload as the headers announce it, or, `found`, the one that was begun with the same Idempotency-Key. */
  begin(
    request: FastifyRequest,
    key: string | undefined,
  ): Promise<{ readonly upload: StoredUpload; readonly found: boolean }>;
  /** How far it is, once whoever still sends to it has been stopped; a complete one is finished. */
  stand(id: string, request: FastifyRequest): Promise<Standing>;
  /** The upload, if it stands at this offset and may go on. */
  goOn(id: string, offset: number): Promise<StoredUpload>;
  /** Adds a body to an upload as it was found, and makes the image if nothing is lacking any more. */
  take(upload: StoredUpload, body: PartBody, request: FastifyRequest): Promise<Standing>;
  giveUp(id: string): Promise<void>;
  /** Stops all that is under way; what has come is kept. */
  stop(): Promise<void>;
}

/**
 * Files that come in parts and go on after a broken connection, at whichever server. Bytes are blobs, offsets are
 * rows; the image is made by the request that completes the upload, or asks about a complete one. `installation` is
 * what `Store.installation` answers.
 */
export const resumableUploads = (context: WebContext, installation: string): ResumableUploads => {
  const { store, blobs, finish, admission, metrics, limits } = context;
  const writers = uploadWriters();
  const appending = {
    store,
    blobs,
    installation,
    keepMs: limits.keepUploadsMs,
    onPart: (bytes: number) => admission.stored(bytes),
  };

  const refuse = async (id: string, refusal: UploadRefusal): Promise<Problem> => {
    if (await store.endUpload(id, { state: 'refused', ...refusal }))
      metrics.uploads.inc({ outcome: refusal.code });
    await removeParts(context, id);
    return new RefusedUpload(refusal);
  };
  const find = async (id: string): Promise<StoredUpload> => {
    const upload = await store.upload(id);
    if (upload === undefined) throw notFound('upload of this ID');
    if (isGone(upload)) throw gone();
    return upload;
  };
  const imageOf = (end: Finished | undefined): string | undefined => {
    if (end?.kind === 'refused') throw new RefusedUpload(end.refusal);
    if (end?.kind === 'gone') throw gone();
    return end?.imageId;
  };

  const create = async (announced: Omit<NewUpload, 'expiresAt'>): Promise<StoredUpload> => {
    await admission.admitUpload();
    const expiresAt = new Date(Date.now() + limits.keepUploadsMs).toISOString();
    const upload = { ...announced, expiresAt };
    await store.createUpload(upload);
    return { ...upload, state: 'open', received: 0, parts: [], imageId: null, refusal: null };
  };

  const checkLength = ({ headers }: FastifyRequest, { bytes, received }: StoredUpload): void => {
    const coming = Number(headers['content-length'] ?? 0);
    if (coming <= bytes - received) return;
    const detail = `${coming} bytes at ${received} go beyond the upload's length of ${bytes}`;
    throw new Problem(413, 'body-too-long', detail);
  };

  return {
    async begin(request, key) {
      const bytes = announcedLength(request);
      const filename = announcedName(request);
      if (bytes === 0) throw new Problem(400, emptyFile.code, emptyFile.detail);
      if (bytes > limits.maxFileBytes) {
        const { code, detail } = tooLarge(limits.maxFileBytes);
        throw new Problem(statusOfRefusal(code), code, detail);
      }
      if (key === undefined)
        return { upload: await create({ id: randomUUID(), filename, bytes }), found: false };
      for (let anew = 0; anew < mostAnew; anew += 1) {
        const id = idOfKey(request, key, anew);
        let upload = await store.upload(id);
        if (upload === undefined) {
          try {
            return { upload: await create({ id, filename, bytes }), found: false };
          } catch (error) {
            // Or the same request came twice at once, and the other one was faster.
            upload = await store.upload(id);
            if (upload === undefined) throw error;
          }
        }
        if (upload.bytes !== bytes) {
          const detail = `this Idempotency-Key was used before, for a file of ${upload.bytes} bytes`;
          throw new Problem(422, 'idempotency-key-reused', detail);
        }
        if (!isGone(upload)) return { upload, found: true };
      }
      throw gone();
    },

    async stand(id, request) {
      // A connection that is gone without a word would bring its last bytes later than we could tell of them.
      await writers.stop(id, takenOver());
      const upload = await find(id);
      const { bytes, received, expiresAt } = upload;
      const end = received < bytes ? endOf(upload) : await finish(id, causeOf(request));
      return { bytes, received, expiresAt, imageId: imageOf(end) };
    },

    async goOn(id, offset) {
      const upload = await find(id);
      if (upload.refusal !== null) throw new RefusedUpload(upload.refusal);
      if (offset !== upload.received) throw conflict(upload.received);
      if (upload.parts.length >= mostParts(upload)) {
        const detail = `the upload came in ${upload.parts.length} parts; begin a new one and send larger parts`;
        throw new Problem(413, 'too-many-parts', detail);
      }
      if (upload.received < upload.bytes) await admission.admit();
      return upload;
    },

    async take(upload, body, request) {
      const answered = metrics.stageSeconds.startTimer({ stage: 'accept' });
      const { id, bytes } = upload;
      checkLength(request, upload);
      const appended = await writers.during(id, body, () => append(appending, upload, body.source));
      if (appended.kind === 'refused') throw await refuse(id, appended.refusal);
      if (appended.kind === 'too-long') {
        const detail = `the body goes beyond the upload's length of ${bytes} bytes`;
        throw new Problem(413, 'body-too-long', detail);
      }
      const { received, expiresAt } = await find(id);
      if (appended.kind === 'conflict') throw conflict(received);
      const standing = { bytes, received: appended.received, expiresAt };
      if (appended.received < bytes) return { ...standing, imageId: undefined };
      const end = await finish(id, causeOf(request));
      const imageId = imageOf(end);
      if (imageId !== undefined) answered();
      return { ...standing, imageId };
    },

    async giveUp(id) {
      await find(id);
      await store.endUpload(id, { state: 'gone' });
      await writers.stop(id, gone());
      await removeParts(context, id);
    },
    stop: () => writers.stopAll(stopping()),
  };
};
