import { readFile } from 'node:fs/promises';
import fastifySwagger from '@fastify/swagger';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { App } from '../context.ts';
import { ProblemBody } from '../problem.ts';
import { scopeOf } from '../route-scopes.ts';
import { partType } from '../tus.ts';

const description = `Upload images, watch them being classified, read the results.

Every image accepted with 202 ends as exactly one of \`succeeded\`, \`failed\` or \`dead\`.
Errors are \`application/problem+json\` (RFC 9457) with a stable \`code\`.`;

interface Operation {
  requestBody?: object;
  responses: Record<string, { description?: string; content?: Record<string, object> }>;
}
interface Document {
  paths?: Record<string, Record<string, Operation>>;
}

const binary = { schema: { type: 'string', format: 'binary' } };
/** What the routes' schemas cannot say: they are for JSON. */
const contents: Readonly<Record<string, Record<string, object>>> = {
  '/images/{id}/original': { 'image/*': binary },
  '/images/{id}/thumbnail': { 'image/jpeg': binary, 'image/webp': binary },
  '/images/{id}/events': { 'text/event-stream': { schema: { type: 'string' } } },
  '/events': { 'text/event-stream': { schema: { type: 'string' } } },
  '/metrics': { 'text/plain': { schema: { type: 'string' } } },
};
const form = {
  type: 'object',
  required: ['image'],
  properties: { image: { type: 'array', items: binary.schema, description: 'One file or many' } },
};

/** Completes the document: the upload's form, answers that are no JSON, and errors with their media type everywhere. */
const complete = <T extends Document>(document: T): T => {
  for (const [path, methods] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(methods)) {
      if (path === '/upload')
        operation.requestBody = { required: true, content: { 'multipart/form-data': { schema: form } } };
      if (path.startsWith('/uploads') && (method === 'patch' || method === 'post'))
        operation.requestBody = { required: method === 'patch', content: { [partType]: binary } };
      const content = contents[path];
      if (content) operation.responses = { 200: { description: 'OK', content } };
      for (const status of ['4XX', '5XX']) {
        operation.responses[status] = {
          description: 'A problem (RFC 9457)',
          content: { 'application/problem+json': { schema: ProblemBody } },
        };
      }
    }
  }
  return document;
};

/** What an operation needs; in OpenAPI 3.1 a list of roles may stand behind any scheme, not only OAuth's. */
const securityOf = (method: unknown, url: string): { apiKey: string[] }[] => {
  const needed = scopeOf(String(method), url) ?? 'admin';
  return needed === 'open' ? [] : [{ apiKey: [needed] }];
};
const securitySchemes = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, `gantry_<id>_<secret>`. A role is its scope; `admin` stands for all of them.',
  },
} as const;

/**
 * OpenAPI 3.1 at /openapi.json and a page to read and try it at /docs, both from the routes' own schemas; `keys` says
 * whether they want API keys.
 */
export const openapi = async (app: App, version: string, keys: boolean): Promise<void> => {
  await app.register(fastifySwagger, {
    transform: ({ schema, url, route }) => ({
      schema: keys ? { ...schema, security: securityOf(route.method, url) } : schema,
      url,
    }),
    transformObject: (document) =>
      'openapiObject' in document ? complete(document.openapiObject as Document) : document.swaggerObject,
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
        { name: 'session', description: 'Signing in with an API key, for browsers' },
      ],
      ...(keys ? { components: { securitySchemes } } : {}),
    },
  });
  const content = await readFile(new URL('../../../ui/public/favicon.svg', import.meta.url));
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    theme: { title: 'Gantry API' },
    logo: { type: 'image/svg+xml', content, href: '/', target: '_self' },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
};
