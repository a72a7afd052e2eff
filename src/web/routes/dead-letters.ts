import { setImmediate as turn } from 'node:timers/promises';
import { Type } from 'typebox';
import { currentTraceparent } from '../../observability/tracing.ts';
import { Image } from '../../pipeline/image.ts';
import { auditLine } from '../audit-line.ts';
import type { App, WebContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { reprocess } from '../reprocess.ts';
import { Id, Page, paging, problemResponses } from '../schemas.ts';

const Query = Type.Object(paging, { additionalProperties: false });

const Replayed = Type.Object({ replayed: Type.Integer({ description: 'Images queued again' }) });

/** Small enough for one transaction beside everybody else's. */
const batch = 200;

/** Images whose every attempt failed, and their replay. */
export const deadLetterRoutes = (app: App, context: WebContext): void => {
  const { store, changed, queued, log } = context;
  const tags = ['dead letters'];
  const list = {
    summary: 'Images whose every attempt failed, newest first',
    description: '`error` says why, `attempts` how often, `updatedAt` when',
    tags,
    querystring: Query,
    response: { 200: Page, ...problemResponses },
  };
  app.get('/dead-letters', { schema: list }, async (request) =>
    store.images({ ...request.query, state: 'dead' }),
  );

  const replay = {
    summary: 'Process a dead image once more',
    tags,
    params: Id,
    response: { 202: Image, ...problemResponses },
  };
  app.post('/dead-letters/:id/replay', { schema: replay }, async (request, reply) => {
    const { id } = request.params;
    const image = await store.image(id);
    if (image !== undefined && image.state !== 'dead') {
      throw new Problem(
        409,
        'not-dead',
        `image ${id} is ${image.state}, not dead; use /images/${id}/reprocess`,
      );
    }
    return reply.code(202).send(await reprocess(context, request, 'replay', id));
  });

  const replayAll = {
    summary: 'Process every dead image once more',
    description: 'Those whose original retention has removed stay as they are.',
    tags,
    response: { 202: Replayed, ...problemResponses },
  };
  app.post('/dead-letters/replay', { schema: replayAll }, async (request, reply) => {
    let replayed = 0;
    // One that dies again meanwhile is not replayed for ever.
    const diedBefore = new Date().toISOString();
    for (let count = batch; count === batch; replayed += count) {
      count = await store.replayDead(batch, currentTraceparent(), diedBefore);
      queued();
      // An embedded database answers at once: without this no request would be served until all is done.
      await turn();
    }
    changed();
    log.info({ ...auditLine(request, 'replay'), images: replayed }, 'dead images queued again');
    return reply.code(202).send({ replayed });
  });
};
