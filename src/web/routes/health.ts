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
    const checks = { store: store.ping(), blobs: blobs.freeBytes() };
    for (const [name, check] of Object.entries(checks)) {
      await check.catch((err: unknown) => {
        log.warn({ err }, `not ready: ${name}`);
        throw new Problem(503, 'not-ready', `the ${name} cannot be used`);
      });
    }
    return { status: 'ok' as const, version };
  });
};
