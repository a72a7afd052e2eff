import { Type } from 'typebox';
import { BlobMissing } from '../../blobs/blobs.ts';
import { Image, ImageState } from '../../pipeline/image.ts';
import { auditLine } from '../audit-line.ts';
import type { App, WebContext } from '../context.ts';
import { notFound, Problem } from '../problem.ts';
import { reprocess } from '../reprocess.ts';
import { Id, Page, paging, problemResponses, sha256Pattern } from '../schemas.ts';
import { Timeline, timelineOf } from '../timeline.ts';

const Query = Type.Object(
  {
    state: Type.Optional(ImageState),
    label: Type.Optional(Type.String({ maxLength: 200 })),
    sha256: Type.Optional(
      Type.String({ pattern: sha256Pattern, description: 'SHA-256 of the original, hex, lower case' }),
    ),
    text: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the file name, any case' })),
    from: Type.Optional(Type.String({ format: 'date-time', description: 'Uploaded at or after' })),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Uploaded before' })),
    ...paging,
  },
  { additionalProperties: false },
);
/** A picture is shown as what it is or not at all: no script in it may run, whatever a browser makes of it. */
const pictureHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  'cache-control': 'private, max-age=31536000, immutable',
};

/** They are JPEG (JFIF begins with ff d8); those of Gantry 0.1's first builds were WebP, and stay what they are. */
const thumbnailType = (bytes: Uint8Array): string => (bytes[0] === 0xff ? 'image/jpeg' : 'image/webp');

/** RFC 6266 with the name in RFC 8187's encoding, which leaves nothing that could end the header. */
const disposition = (filename: string): string =>
  `inline; filename*=UTF-8''${encodeURIComponent(filename).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`;

/** Images: list, one, its original and thumbnail, delete, reprocess. */
export const imageRoutes = (app: App, context: WebContext): void => {
  const { store, blobs, changed, log } = context;
  const tags = ['images'];

  const list = {
    summary: 'List images, newest first',
    tags,
    querystring: Query,
    response: { 200: Page, ...problemResponses },
  };
  app.get('/images', { schema: list }, async (request) => {
    for (const name of ['from', 'until'] as const) {
      // The format lets a leap second through, which no clock here can tell.
      if (Number.isNaN(Date.parse(request.query[name] ?? '1970-01-01'))) {
        throw new Problem(400, 'invalid-request', `${name} is no time`);
      }
    }
    return store.images(request.query);
  });

  const one = { summary: 'One image', tags, params: Id, response: { 200: Image, ...problemResponses } };
  app.get('/images/:id', { schema: one }, async (request) => {
    const image = await store.image(request.params.id);
    if (image === undefined) throw notFound(`image ${request.params.id}`);
    return image;
  });

  const timeline = {
    summary: 'What happened to an image, with times',
    tags,
    params: Id,
    response: { 200: Timeline, ...problemResponses },
  };
  app.get('/images/:id/timeline', { schema: timeline }, async (request) => {
    const image = await store.image(request.params.id);
    if (image === undefined) throw notFound(`image ${request.params.id}`);
    return timelineOf(store, image);
  });

  const original = { summary: 'The original file', tags, params: Id };
  app.get('/images/:id/original', { schema: original }, async (request, reply) => {
    const { id } = request.params;
    const [image, key] = await Promise.all([store.image(id), store.blobOf(id)]);
    if (image === undefined || key === undefined) throw notFound(`image ${id}`);
    if (key === null)
      throw new Problem(410, 'original-removed', `the original of image ${id} is no longer kept`);
    const etag = `"${image.sha256}"`;
    if (request.headers['if-none-match'] === etag) return reply.code(304).header('etag', etag).send();
    const blob = await blobs.open(key).catch((error: unknown) => {
      if (!(error instanceof BlobMissing)) throw error;
      log.error({ err: error, imageId: id }, 'the original of an image is missing');
      throw notFound(`original of image ${id} any more`);
    });
    return reply
      .headers({ ...pictureHeaders, etag })
      .type(image.contentType)
      .header('content-length', blob.bytes)
      .header('content-disposition', disposition(image.filename))
      .send(blob.stream);
  });

  const thumbnail = { summary: 'A small JPEG of the image, once it was processed', tags, params: Id };
  app.get('/images/:id/thumbnail', { schema: thumbnail }, async (request, reply) => {
    const bytes = await store.thumbnail(request.params.id);
    if (bytes === undefined) throw notFound(`thumbnail of image ${request.params.id} yet`);
    return reply.headers(pictureHeaders).type(thumbnailType(bytes)).send(Buffer.from(bytes));
  });

  const remove = {
    summary: 'Delete an image, its original and its results',
    tags,
    params: Id,
    response: { 204: Type.Null(), ...problemResponses },
  };
  app.delete('/images/:id', { schema: remove }, async (request, reply) => {
    const { id } = request.params;
    const [key, image] = await Promise.all([store.blobOf(id), store.image(id)]);
    if (key === undefined) throw notFound(`image ${id}`);
    // The original first: if it cannot be removed, the image is still there to be deleted again.
    if (key !== null) await blobs.remove(key);
    await store.remove(id);
    changed();
    const action = image?.state === 'dead' ? 'discard' : 'delete';
    log.info({ ...auditLine(request, action), imageId: id }, 'image deleted');
    return reply.code(204).send(null);
  });

  const reprocessing = {
    summary: 'Process an image once more, as a new generation',
    tags,
    params: Id,
    response: { 202: Image, ...problemResponses },
  };
  app.post('/images/:id/reprocess', { schema: reprocessing }, async (request, reply) =>
    reply.code(202).send(await reprocess(context, request, 'reprocess', request.params.id)),
  );
};
