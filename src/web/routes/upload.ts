import { createHash } from 'node:crypto';
import type { FastifyError, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { inSpan } from '../../observability/tracing.ts';
import { type NewImage, StoreError } from '../../store/store.ts';
import type { App, WebContext } from '../context.ts';
import { asProblem } from '../plugins/problems.ts';
import { Problem } from '../problem.ts';
import { isRefusalOfFile, readUpload, type Upload } from '../read-upload.ts';
import { traceOf } from '../request-trace.ts';
import { problemResponses } from '../schemas.ts';
import { UploadAnswer } from '../upload-answer.ts';

const Headers = Type.Object({
  traceparent: Type.Optional(
    Type.String({ description: 'W3C Trace Context; goes along with the jobs. A malformed one is ignored' }),
  ),
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'The same upload repeated with the same key is stored once and answered alike',
    }),
  ),
});

const answerOf = ({ images, refused }: Upload, first: NewImage) => ({
  message: images.length === 1 ? 'Image accepted' : `${images.length} images accepted`,
  correlationId: first.id,
  images: images.map(({ id, filename, bytes, contentType, sha256 }) => ({
    ...{ id, filename, bytes, contentType, sha256 },
    url: `/images/${id}`,
  })),
  ...(refused.length > 0 ? { refused } : {}),
});

/** The answer to a request none of whose files was taken: as the first of them was refused. */
const refusal = ({ refused }: Upload): Problem => {
  const { status, code, detail } = refused[0] ?? { status: 400, code: 'no-image', detail: 'no image' };
  return new Problem(status, code, detail, refused.length > 1 ? { more: { refused } } : {});
};

const fingerprintOf = ({ images }: Upload): string =>
  createHash('sha256')
    .update(images.map(({ sha256 }) => sha256).join())
    .digest('hex');

/**
 * `POST /upload`: streams every file into the blob storage while hashing it, then accepts them all in one
 * transaction. A request that fails half-way leaves nothing.
 */
export const uploadRoute = (app: App, context: WebContext): void => {
  const { blobs, submit, admission, metrics, limits, log, models } = context;
  const receiving = { blobs, maxFileBytes: limits.maxFileBytes, pipeline: models[0].name };

  const discard = async ({ images }: Upload): Promise<void> => {
    for (const { blob } of images) {
      await blobs.remove(blob).catch((err: unknown) => {
        log.warn({ err, key: blob }, 'a blob that belongs to no image could not be removed');
      });
    }
  };
  const receiveAll = async (request: Parameters<typeof readUpload>[0]): Promise<Upload> => {
    const upload: Upload = { images: [], refused: [] };
    try {
      await inSpan('receive', {}, () => readUpload(request, receiving, limits.maxFiles, upload));
    } catch (error) {
      await discard(upload);
      throw error;
    } finally {
      for (const { code } of upload.refused) metrics.uploads.inc({ outcome: code });
    }
    return upload;
  };

  const countRefusal = async (
    request: FastifyRequest,
    _reply: unknown,
    error: FastifyError,
  ): Promise<void> => {
    const { code } = asProblem(error, request);
    // Files have been counted, each with its own reason.
    if (!isRefusalOfFile(code)) metrics.uploads.inc({ outcome: code });
  };

  const schema = {
    summary: 'Upload one image or many',
    description:
      'Multipart form, field `image`, one file or many. Each file has its own outcome: the answer is 202 if at least one was accepted.',
    tags: ['images'],
    consumes: ['multipart/form-data'],
    headers: Headers,
    response: { 202: UploadAnswer, ...problemResponses },
  };
  app.post('/upload', { schema, onError: countRefusal }, async (request, reply) => {
    const answered = metrics.stageSeconds.startTimer({ stage: 'accept' });
    await admission.admit();
    const upload = await receiveAll(request);
    const first = upload.images[0];
    if (first === undefined) throw refusal(upload);

    const answer = answerOf(upload, first);
    const keyId = request.apiKey?.id;
    const given = request.headers['idempotency-key'];
    // Each API key's are its own: who may only upload must not meet what others did.
    const key = given === undefined || keyId === undefined ? given : `${keyId} ${given}`;
    const response = JSON.stringify(answer);
    const idempotency =
      key === undefined ? {} : { idempotency: { key, fingerprint: fingerprintOf(upload), response } };
    const traceparent = traceOf(request);
    const trace = traceparent === undefined ? {} : { traceparent };
    const submission = { images: upload.images, ...idempotency, ...trace };
    const acceptance = await inSpan('accept', {}, () => submit(submission)).catch(async (error: unknown) => {
      // After any other fault the rows may be there all the same, and an orphan is better than a loss.
      if (error instanceof StoreError && error.code === 'full') await discard(upload);
      throw error;
    });
    if (acceptance.kind !== 'accepted') await discard(upload);
    if (acceptance.kind === 'conflict') {
      throw new Problem(
        422,
        'idempotency-key-reused',
        'this Idempotency-Key was used before, for other files',
      );
    }
    answered();
    reply.code(202);
    if (acceptance.kind === 'repeated') {
      metrics.uploads.inc({ outcome: 'repeated' }, upload.images.length);
      return reply.header('idempotent-replayed', 'true').send(JSON.parse(acceptance.response));
    }
    for (const { id, bytes, contentType } of upload.images) {
      metrics.uploads.inc({ outcome: 'accepted' });
      metrics.uploadedBytes.inc(bytes);
      admission.stored(bytes);
      log.info({ imageId: id, bytes, contentType, ...(keyId !== undefined && { keyId }) }, 'image accepted');
    }
    return reply.header('location', `/images/${first.id}`).send(answer);
  });
};
