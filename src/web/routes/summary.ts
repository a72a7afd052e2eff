import type { App, WebContext } from '../context.ts';
import { problemResponses } from '../schemas.ts';
import { createSummary, Summary } from '../summary.ts';

export const summaryRoutes = (app: App, { store }: WebContext): void => {
  const schema = {
    summary: 'All images together: states, labels, throughput',
    tags: ['images'],
    response: { 200: Summary, ...problemResponses },
  };
  const summary = createSummary(store);
  app.get('/summary', { schema }, () => summary());
};
