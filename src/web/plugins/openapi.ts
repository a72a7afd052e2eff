import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { App } from '../context.ts';

const description = `Upload images, watch them being classified, read the results.

Every image accepted with 202 ends as exactly one of \`succeeded\`, \`failed\` or \`dead\`.
Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`.`;

/** OpenAPI 3.1 at /openapi.json and a page to read and try it at /docs, both from the routes' own schemas. */
export const openapi = async (app: App, version: string): Promise<void> => {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gantry',
        version,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [
        { name: 'images', description: 'Uploads and their results' },
        { name: 'dead letters', description: 'Images whose every attempt failed' },
        { name: 'models' },
        { name: 'operation', description: 'Health and metrics' },
      ],
    },
  });
  await app.register(fastifySwaggerUi, { routePrefix: '/docs', staticCSP: true });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
};
