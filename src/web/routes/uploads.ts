import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type TNull, Type } from 'typebox';
import type { App, WebContext } from '../context.ts';
import { type PartBody, partBodyOf } from '../part-body.ts';
import { asProblem } from '../plugins/problems.ts';
import { Problem } from '../problem.ts';
import { RefusedUpload, resumableUploads, type Standing } from '../resumable-uploads.ts';
import { problemResponses } from '../schemas.ts';
import { bytesIn, checkVersion, partType, tusExtensions, tusVersion } from '../tus.ts';
import { answerTo, UploadAnswer } from '../upload-answer.ts';

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

const Keyed = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'Repeated with the same key, it is the same upload, as long as that is remembered',
    }),
  ),
});
const Overriding = Type.Object({
  'x-http-method-override': Type.Enum(['HEAD', 'PATCH', 'DELETE'], {
    description: 'What the request stands for',
  }),
});

const tell = (reply: FastifyReply, { received, expiresAt, imageId }: Standing): void => {
  reply.headers({ 'upload-offset': received, 'upload-expires': new Date(expiresAt).toUTCString() });
  if (imageId !== undefined) reply.header('gantry-image-id', imageId);
};

const hasPart = ({ headers }: FastifyRequest): boolean => headers['content-type'] === partType;

/** Whatever comes of it, the client gets to read the answer. */
const withBody = async (request: FastifyRequest, work: (body: PartBody) => Promise<void>): Promise<void> => {
  const body = partBodyOf(request);
  try {
    await work(body);
  } catch (error) {
    body.drain();
    throw error;
  }
};

/** `/uploads`: tus, for files that go on after a broken connection. */
export const uploadsRoutes = async (parent: App, context: WebContext): Promise<void> => {
  const { store, metrics, limits } = context;
  const uploads = resumableUploads(context, await store.installation());

  const countRefusal = async (
    request: FastifyRequest,
    _reply: unknown,
    error: FastifyError,
  ): Promise<void> => {
    if (!(error instanceof RefusedUpload)) metrics.uploads.inc({ outcome: asProblem(error, request).code });
  };

  const ask = async (id: string, request: FastifyRequest, reply: FastifyReply) => {
    checkVersion(request);
    const standing = await uploads.stand(id, request);
    tell(reply, standing);
    return reply.code(200).header('upload-length', standing.bytes).send(null);
  };
  const send = async (id: string, request: FastifyRequest, reply: FastifyReply) => {
    checkVersion(request);
    if (!hasPart(request)) throw new Problem(415, 'unsupported-media-type', `send the bytes as ${partType}`);
    await withBody(request, async (body) => {
      const upload = await uploads.goOn(id, bytesIn(request, 'Upload-Offset'));
      tell(reply, await uploads.take(upload, body, request));
    });
    return reply.code(204).send(null);
  };
  const giveUp = async (id: string, request: FastifyRequest, reply: FastifyReply) => {
    checkVersion(request);
    await uploads.giveUp(id);
    return reply.code(204).send(null);
  };
  const standingFor = { HEAD: ask, PATCH: send, DELETE: giveUp };

  await parent.register(async (scope) => {
    const app: App = scope.withTypeProvider();
    app.addContentTypeParser(partType, (_request, payload, done) => done(null, payload));
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers({ 'tus-resumable': tusVersion, 'cache-control': 'no-store' });
    });
    app.addHook('preClose', () => uploads.stop());

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
      'Headers `Upload-Length` (bytes) and, optionally, `Upload-Metadata` (`filename` in Base64). 201 with its `Location`. Repeated with the same `Idempotency-Key` it says where that upload stands, as `HEAD` does; 200 and the image once there is one.',
    );
    const begin = {
      schema: {
        ...creation,
        headers: Keyed,
        response: { 200: UploadAnswer, ...creation.response },
      },
      onError: countRefusal,
    };
    app.post('/uploads', begin, async (request, reply) => {
      checkVersion(request);
      const key = request.headers['idempotency-key'];
      const beginning = async () => {
        const { upload, found } = await uploads.begin(request, key);
        reply.header('location', `uploads/${upload.id}`);
        if (found) reply.header('idempotent-replayed', 'true');
        return { upload, found };
      };
      if (hasPart(request)) {
        await withBody(request, async (body) => {
          const { upload, found } = await beginning();
          const open = found ? await uploads.goOn(upload.id, 0) : upload;
          try {
            tell(reply, await uploads.take(open, body, request));
          } catch (error) {
            if (!found && error instanceof Problem && error.code === 'body-too-long') {
              // Begun for nothing: nobody goes on with it, and it would count as unfinished until its time is over.
              await uploads.giveUp(upload.id);
              reply.removeHeader('location');
            }
            throw error;
          }
        });
        return reply.code(201).send(null);
      }
      const { upload, found } = await beginning();
      const standing = found ? await uploads.stand(upload.id, request) : { ...upload, imageId: undefined };
      tell(reply, standing);
      if (standing.imageId === undefined) return reply.code(201).send(null);
      const image = await store.image(standing.imageId);
      if (image === undefined) throw new Problem(410, 'upload-gone', 'the image of this upload was deleted');
      return reply.code(200).send(answerTo([image], []));
    });

    const asking = described(
      200,
      'Where a resumable upload stands',
      '`Upload-Offset` is what is durable. A finished one says its image in `Gantry-Image-Id`. Whoever still sends to it is stopped.',
    );
    const asked = { schema: { ...asking, params }, config: { swagger: { exposeHeadRoute: true } } };
    app.head('/uploads/:id', asked, (request, reply) => ask(request.params.id, request, reply));

    const sending = described(
      204,
      'Go on with a resumable upload',
      `Bytes from \`Upload-Offset\` on, as \`${partType}\`. The answer to the last ones names the image in \`Gantry-Image-Id\`; a file that is refused gets what \`POST /upload\` answers.`,
    );
    app.patch('/uploads/:id', { schema: { ...sending, params } }, (request, reply) =>
      send(request.params.id, request, reply),
    );

    const terminating = described(
      204,
      'Give up a resumable upload',
      'What has come of it is removed. The image of a finished one stays.',
    );
    app.delete('/uploads/:id', { schema: { ...terminating, params } }, (request, reply) =>
      giveUp(request.params.id, request, reply),
    );

    const overriding = described(
      204,
      'HEAD, PATCH or DELETE for clients that can send neither',
      '`X-HTTP-Method-Override` says which; everything else is as there.',
    );
    const overridden = {
      ...overriding,
      ...{ params, headers: Overriding },
      response: { 200: Type.Null(), ...overriding.response },
    };
    app.post('/uploads/:id', { schema: overridden }, (request, reply) =>
      standingFor[request.headers['x-http-method-override']](request.params.id, request, reply),
    );
  });
};
