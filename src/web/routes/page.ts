import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { App } from '../context.ts';
import { Problem } from '../problem.ts';

const built = fileURLToPath(new URL('../../../ui/dist', import.meta.url));

/** The web page at `/`, as Vite built it; file names in assets/ carry their content's hash. */
export const pageRoutes = async (app: App): Promise<void> => {
  if (!existsSync(`${built}/index.html`)) {
    app.get('/', { schema: { hide: true } }, async () => {
      throw new Problem(
        503,
        'page-not-built',
        'the page is not built yet: run `npm run build:ui`; the API works',
      );
    });
    return;
  }
  await app.register(fastifyStatic, {
    root: built,
    wildcard: false,
    schemaHide: true,
    setHeaders(reply, path) {
      const forever = path.includes('/assets/');
      reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
};
