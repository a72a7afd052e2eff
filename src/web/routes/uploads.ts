import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type TNull, Type } from 'typebox';
import { append, mostParts } from '../../pipeline/append.ts';
import { endOf, type Finished, removeParts } from '../../pipeline/finish.ts';
import { emptyFile, tooLarge } from '../../pipeline/receive.ts';
import type { StoredUpload, UploadRefusal } from '../../store/uploads.ts';
import type { App, WebContext } from '../context.ts';
import { type PartBody, partBodyOf } from '../part-body.ts';
import { asProblem } from '../plugins/problems.ts';
import { notFound, Problem } from '../problem.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { statusOfRefusal } from '../read-upload.ts';
import { traceOf } from '../request-trace.ts';
import { problemResponses } from '../schemas.ts';
import {
  announcedLength,
  announcedName,
  bytesIn,
  checkVersion,
  partType,
  tusExtensions,
  tusVersion,
} from '../tus.ts';
import { uploadWriters } from '../upload-writers.ts';

/** What ended an upload has been counted where it was found. */
class RefusedUpload extends Problem {
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
const takenOver = (): Problem =>
  new Problem(409, 'upload-resumed', 'another request goes on with this upload');
const stopping = (): Problem =>
  new Problem(503, 'stopping', 'the server is stopping; what has come is kept, go on in a moment', {
    headers: { 'retry-after': '1', connection: 'close' },
  });

const causeOf = (request: FastifyRequest) => ({ traceparent: traceOf(request), keyId: request.apiKey?.id });

const params = Type.Object({ id: Type.String({ maxLength: 100 }) });
const described = <Status extends 200 | 201 | 204>(
  success: Status,
  summary: string,
  description: string,
) => ({
  summary,
  description: `${description} [tus ${tusVersion}](https://tus.io/protocols/resumable-upload).`,
  tags: ['images'],
  response: { ...({ [success]: Type.Null() } as Record<Status, TNull>), ...problemResponses },
});

/**
 * `/uploads`: files that come in parts and go on after a broken connection, at whichever server. Bytes are blobs,
 * offsets are rows; the image is made by the request that completes the upload, or asks about a complete one.
 */
export const uploadsRoutes = async (parent: App, context: WebContext): Promise<void> => {
  const { store, blobs, finish, admission, metrics, limits } = context;
  const writers = uploadWriters();
  const appending = {
    store,
    blobs,
    installation: await store.installation(),
    keepMs: limits.keepUploadsMs,
    onPart: (bytes: number) => admission.stored(bytes),
  };

  const refuse = async (id: string, refusal: UploadRefusal): Promise<Problem> => {
    if (await store.endUpload(id, { state: 'refused', ...refusal }))
      metrics.uploads.inc({ outcome: refusal.code });
    await removeParts(context, id);
    return new RefusedUpload(refusal);
  };
  /** Throws the problem of an upload that is not there, or not any more. */
  const find = async (id: string): Promise<StoredUpload> => {
    const upload = await store.upload(id);
    if (upload === undefined) throw notFound('upload of this ID');
    const lacks = upload.received < upload.bytes;
    const expired = upload.state === 'open' && lacks && Date.parse(upload.expiresAt) < Date.now();
    if (upload.state === 'gone' || expired) throw gone();
    return upload;
  };
  const tell = (reply: FastifyReply, offset: number, expiresAt: string): void => {
    reply.headers({ 'upload-offset': offset, 'upload-expires': new Date(expiresAt).toUTCString() });
  };
  /** Names the image in the answer. Throws the problem of an upload that came to none. */
  const tellEnd = (reply: FastifyReply, end: Finished | undefined): void => {
    if (end?.kind === 'refused') throw new RefusedUpload(end.refusal);
    if (end?.kind === 'gone') throw gone();
    if (end?.kind === 'finished') reply.header('gantry-image-id', end.imageId);
  };

  /** Adds the body, and makes the image if nothing is lacking any more. */
  const take = async (request: FastifyRequest, reply: FastifyReply, upload: StoredUpload, body: PartBody) => {
    const answered = metrics.stageSeconds.startTimer({ stage: 'accept' });
    const appended = await writers.during(upload.id, body, () => append(appending, upload, body.source));
    if (appended.kind === 'refused') throw await refuse(upload.id, appended.refusal);
    if (appended.kind === 'too-long') {
      const detail = `the body goes beyond the upload's length of ${upload.bytes} bytes`;
      throw new Problem(413, 'body-too-long', detail);
    }
    const { received, expiresAt } = await find(upload.id);
    if (appended.kind === 'conflict') throw conflict(received);
    if (appended.received === upload.bytes) {
      const end = await finish(upload.id, causeOf(request));
      tellEnd(reply, end);
      if (end?.kind === 'finished') answered();
    }
    tell(reply, appended.received, expiresAt);
  };
  const checkLength = ({ headers }: FastifyRequest, { bytes, received }: StoredUpload): void => {
    const coming = Number(headers['content-length'] ?? 0);
    if (coming <= bytes - received) return;
    const detail = `${coming} bytes at ${received} go beyond the upload's length of ${bytes}`;
    throw new Problem(413, 'body-too-long', detail);
  };
  /** Whatever comes of it, the client gets to read the answer. */
  const withBody = async (
    request: FastifyRequest,
    work: (body: PartBody) => Promise<void>,
  ): Promise<void> => {
    const body = partBodyOf(request);
    try {
      await work(body);
    } catch (error) {
      body.drain();
      throw error;
    }
  };
  const hasPart = ({ headers }: FastifyRequest): boolean => headers['content-type'] === partType;

  const create = async (request: FastifyRequest): Promise<StoredUpload> => {
    const bytes = announcedLength(request);
    const filename = announcedName(request);
    if (bytes === 0) throw new Problem(400, emptyFile.code, emptyFile.detail);
    if (bytes > limits.maxFileBytes) {
      const { code, detail } = tooLarge(limits.maxFileBytes);
      throw new Problem(statusOfRefusal(code), code, detail);
    }
    await admission.admitUpload();
    const expiresAt = new Date(Date.now() + limits.keepUploadsMs).toISOString();
    const upload = { id: randomUUID(), filename, bytes, expiresAt };
    await store.createUpload(upload);
    return { ...upload, state: 'open', received: 0, parts: [], imageId: null, refusal: null };
  };
  const countRefusal = async (
    request: FastifyRequest,
    _reply: unknown,
    error: FastifyError,
  ): Promise<void> => {
    if (!(error instanceof RefusedUpload)) metrics.uploads.inc({ outcome: asProblem(error, request).code });
  };

  await parent.register(async (scope) => {
    const app: App = scope.withTypeProvider();
    app.addContentTypeParser(partType, (_request, payload, done) => done(null, payload));
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'tus-resumable': tusVersion, 'cache-control': 'no-store' });
    });
    app.addHook('preClose', () => writers.stopAll(stopping()));

    const options = {
      schema: described(204, 'What this server can do with resumable uploads', 'The headers say it.'),
    };
    for (const path of ['/uploads', '/uploads/:id'])
      app.options(path, options, async (_request, reply) =>
        reply
          .code(204)
          .headers({
            'tus-version': tusVersion,
            'tus-extension': tusExtensions,
            'tus-max-size': limits.maxFileBytes,
          })
          .send(null),
      );

    const creation = described(
      201,
      'Begin a resumable upload',
      'Headers `Upload-Length` (bytes) and, optionally, `Upload-Metadata` (`filename` in Base64). 201 with its `Location`.',
    );
    app.post('/uploads', { schema: creation, onError: countRefusal }, async (request, reply) => {
      checkVersion(request);
      if (!hasPart(request)) {
        const { id, expiresAt } = await create(request);
        tell(reply, 0, expiresAt);
        return reply.code(201).header('location', `uploads/${id}`).send(null);
      }
      await withBody(request, async (body) => {
        const upload = await create(request);
        checkLength(request, upload);
        reply.header('location', `uploads/${upload.id}`);
        await take(request, reply, upload, body);
      });
      return reply.code(201).send(null);
    });

    const asking = described(
      200,
      'Where a resumable upload stands',
      '`Upload-Offset` is what is durable. A finished one says its image in `Gantry-Image-Id`. Whoever still sends to it is stopped.',
    );
    const asked = { schema: { ...asking, params }, config: { swagger: { exposeHeadRoute: true } } };
    app.head('/uploads/:id', asked, async (request, reply) => {
      checkVersion(request);
      const { id } = request.params;
      // A connection that is gone without a word would bring its last bytes later than we could tell of them.
      await writers.stop(id, takenOver());
      const { bytes, received, expiresAt, ...upload } = await find(id);
      tellEnd(
        reply,
        received < bytes
          ? endOf({ bytes, received, expiresAt, ...upload })
          : await finish(id, causeOf(request)),
      );
      tell(reply, received, expiresAt);
      return reply.header('upload-length', bytes).send(null);
    });

    const sending = described(
      204,
      'Go on with a resumable upload',
      `Bytes from \`Upload-Offset\` on, as \`${partType}\`. The answer to the last ones names the image in \`Gantry-Image-Id\`; a file that is refused gets what \`POST /upload\` answers.`,
    );
    app.patch('/uploads/:id', { schema: { ...sending, params } }, async (request, reply) => {
      checkVersion(request);
      if (!hasPart(request))
        throw new Problem(415, 'unsupported-media-type', `send the bytes as ${partType}`);
      await withBody(request, async (body) => {
        const offset = bytesIn(request, 'Upload-Offset');
        const upload = await find(request.params.id);
        if (upload.refusal !== null) throw new RefusedUpload(upload.refusal);
        if (offset !== upload.received) throw conflict(upload.received);
        checkLength(request, upload);
        if (upload.parts.length >= mostParts(upload)) {
          const detail = `the upload came in ${upload.parts.length} parts; begin a new one and send larger parts`;
          throw new Problem(413, 'too-many-parts', detail);
        }
        if (upload.received < upload.bytes) await admission.admit();
        await take(request, reply, upload, body);
      });
      return reply.code(204).send(null);
    });

    const terminating = described(
      204,
      'Give up a resumable upload',
      'What has come of it is removed. The image of a finished one stays.',
    );
    app.delete('/uploads/:id', { schema: { ...terminating, params } }, async (request, reply) => {
      checkVersion(request);
      const { id } = await find(request.params.id);
      await store.endUpload(id, { state: 'gone' });
      await writers.stop(id, gone());
      await removeParts(context, id);
      return reply.code(204).send(null);
    });
  });
};
