import type { FastifyRequest } from 'fastify';
import { currentTraceparent } from '../observability/tracing.ts';
import { outboxLeaseMs } from '../pipeline/dispatch.ts';
import type { Image } from '../pipeline/image.ts';
import { auditLine } from './audit-line.ts';
import type { WebContext } from './context.ts';
import { notFound, Problem } from './problem.ts';

/**
 * Starts a new generation of a final image, as the `request` asks, and returns the image, queued again. Throws the problem
 * that hinders it.
 */
export const reprocess = async (
  { store, dispatch, changed, log }: Pick<WebContext, 'store' | 'dispatch' | 'changed' | 'log'>,
  request: FastifyRequest,
  action: 'reprocess' | 'replay',
  id: string,
): Promise<Image> => {
  const job = await store.reprocess(id, outboxLeaseMs, currentTraceparent());
  if (job === 'not-found') throw notFound(`image ${id}`);
  if (job === 'unfinished') throw new Problem(409, 'unfinished', `image ${id} is being processed already`);
  if (job === 'no-original') {
    throw new Problem(409, 'original-removed', `the original of image ${id} is no longer kept`);
  }
  const image = await store.image(id);
  changed();
  void dispatch(job);
  const line = { ...auditLine(request, action), imageId: id, generation: job.generation };
  log.info(line, 'image queued for reprocessing');
  if (image === undefined) throw notFound(`image ${id}`);
  return image;
};
