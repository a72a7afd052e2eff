import { Type } from 'typebox';
import type { App, WebContext } from '../context.ts';
import { ModelInfo } from '../model-info.ts';

export const modelRoutes = (app: App, { models }: WebContext): void => {
  const schema = {
    summary: 'Models that images are processed with',
    tags: ['models'],
    response: { 200: Type.Object({ models: Type.Array(ModelInfo) }) },
  };
  app.get('/models', { schema }, async () => ({ models: [...models] }));
};
