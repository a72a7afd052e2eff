import { Type } from 'typebox';
import { Image } from '../../pipeline/image.ts';
import type { App, WebContext } from '../context.ts';
import { Problem } from '../problem.ts';
import { reprocess } from '../reprocess.ts';
import { Id, Page, paging, problemResponses } from '../schemas.ts';

const Query = Type.Object(paging, { additionalProperties: false });

/** Images whose every attempt failed, and their replay. */
export const deadLetterRoutes = (app: App, context: WebContext): void => {
  const { store } = context;
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
    return reply.code(202).send(await reprocess(context, id));
  });
};
