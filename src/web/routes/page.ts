import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { App } from '../context.ts';
import { Problem } from '../problem.ts';

const dist = fileURLToPath(new URL('../../../ui/dist', import.meta.url));

/**
 * The web page at `/`, as Vite built it into the folder `built`; file names in assets/ carry their content's hash. Looked
 * up at each request: a page that is built, or built anew, while the server runs is the one that is served.
 */
export const pageRoutes = async (app: App, built = dist): Promise<void> => {
  await app.register(fastifyStatic, {
    root: join(built, 'assets'),
    prefix: '/assets/',
    schemaHide: true,
    setHeaders(reply, path) {
      const forever = path.includes('/assets/');
      reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const files = { '/': 'index.html', '/index.html': 'index.html', '/favicon.svg': 'favicon.svg' };
  for (const [path, file] of Object.entries(files))
    app.get(path, { schema: { hide: true } }, async (_request, reply) => {
      if (existsSync(join(built, file))) return reply.sendFile(file, built);
      const detail = 'the page is not built yet: run `npm run build:ui`; the API works';
      throw new Problem(503, 'page-not-built', detail);
    });
};
