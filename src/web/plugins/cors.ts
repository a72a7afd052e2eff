import fastifyCors from '@fastify/cors';
import type { App } from '../context.ts';

/**
 * Lets pages of these origins use the API with a key of their own. No cookies: whoever is signed in here has not
 * agreed to what another page does.
 */
export const cors = async (app: App, origins: readonly string[]): Promise<void> => {
  if (origins.length === 0) return;
  await app.register(fastifyCors, {
    origin: [...origins],
    credentials: false,
    strictPreflight: false,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: [
      ...['authorization', 'content-type', 'idempotency-key', 'last-event-id', 'traceparent'],
      ...['tus-resumable', 'upload-length', 'upload-metadata', 'upload-offset'],
      'x-http-method-override',
    ],
    exposedHeaders: [
      ...['location', 'idempotent-replayed', 'etag', 'retry-after', 'www-authenticate'],
      ...['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
      ...['tus-resumable', 'tus-version', 'upload-length', 'upload-offset', 'upload-expires'],
      'gantry-image-id',
    ],
    maxAge: 600,
  });
};
