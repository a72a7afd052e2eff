import type { App, WebContext } from '../context.ts';
import { System } from '../system.ts';

export const systemRoutes = (app: App, { system }: WebContext): void => {
  const schema = {
    summary: 'What runs here, and how it is',
    description: 'Answers at once also while the broker, the store or the image storage is away.',
    tags: ['operation'],
    response: { 200: System },
  };
  app.get('/system', { schema }, () => system());
};
