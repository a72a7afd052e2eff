import type { App, WebContext } from '../context.ts';

export const metricsRoute = (app: App, { metrics, observe }: WebContext): void => {
  const schema = {
    summary: 'Metrics in the Prometheus text format',
    tags: ['operation'],
    produces: ['text/plain'],
  };
  app.get('/metrics', { schema }, async (_request, reply) => {
    await observe();
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
};
