import { Type } from 'typebox';
import type { App, WebContext } from '../context.ts';
import { Problem, ProblemBody } from '../problem.ts';

const Health = Type.Object({ status: Type.Literal('ok'), version: Type.String() });

/** `/healthz` asks nobody but this process; `/readyz` asks store and blobs, not the broker: the outbox absorbs its outages. */
export const healthRoutes = (app: App, { store, blobs, draining, version, log }: WebContext): void => {
  const tags = ['operation'];
  const live = { summary: 'Is this process alive?', tags, response: { 200: Health } };
  app.get('/healthz', { schema: live }, async () => ({ status: 'ok' as const, version }));

  const ready = { summary: 'Can it take uploads?', tags, response: { 200: Health, 503: ProblemBody } };
  app.get('/readyz', { schema: ready }, async () => {
    if (draining()) throw new Problem(503, 'not-ready', 'shutting down');
    const parts = ['store', 'blobs'];
    const checks = await Promise.allSettled([store.ping(), blobs.freeBytes()]);
    for (const [index, check] of checks.entries()) {
      if (check.status === 'fulfilled') continue;
      log.warn({ err: check.reason }, `not ready: ${parts[index]}`);
      throw new Problem(503, 'not-ready', `the ${parts[index]} cannot be used`);
    }
    return { status: 'ok' as const, version };
  });
};
