import type { IncomingMessage, ServerResponse } from 'node:http';
import fastifyMultipart from '@fastify/multipart';
import { fastifySSE } from '@fastify/sse';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, type FastifyInstance, fastify, type RawServerDefault } from 'fastify';
import type { Blobs } from '../blobs/blobs.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Dispatch } from '../pipeline/dispatch.ts';
import type { Submit } from '../pipeline/submit.ts';
import type { Store } from '../store/store.ts';
import type { Admit } from './admission.ts';
import type { EventFeed } from './event-feed.ts';
import { openapi } from './plugins/openapi.ts';
import { answerSocket, problems } from './plugins/problems.ts';
import { securityHeaders } from './plugins/security-headers.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { imageRoutes } from './routes/images.ts';
import { metricsRoute } from './routes/metrics.ts';
import { type ModelInfo, modelRoutes } from './routes/models.ts';
import { pageRoutes } from './routes/page.ts';
import { uploadRoute } from './routes/upload.ts';

/** What the web server works with; it knows ports, never drivers. */
export interface WebContext {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly submit: Submit;
  readonly dispatch: Dispatch;
  readonly admit: Admit;
  readonly feed: EventFeed;
  /** The store has new events. */
  readonly changed: () => void;
  readonly metrics: Metrics;
  /** Brings gauges up to date before a scrape. */
  readonly observe: () => Promise<void>;
  readonly log: Logger;
  readonly version: string;
  /** Models that images are processed with; the first one is the default. */
  readonly models: readonly [ModelInfo, ...ModelInfo[]];
  readonly limits: { maxFileBytes: number; maxFiles: number; requestTimeoutMs: number };
  /** True once a shutdown began: no longer ready. */
  readonly draining: () => boolean;
}

/** Fastify with the types of the routes' TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Builds the web server; it listens to nothing yet. Tests inject requests. */
export const buildApp = async (context: WebContext): Promise<App> => {
  // Fastify tells of every request and address at `info`; what is worth a line is logged by the routes.
  const loggerInstance: FastifyBaseLogger = context.log.child({}, { level: 'warn' });
  const app = fastify({
    loggerInstance,
    requestTimeout: context.limits.requestTimeoutMs,
    clientErrorHandler: answerSocket(context.limits.requestTimeoutMs),
    forceCloseConnections: 'idle',
    // A misspelt filter must not go unnoticed.
    ajv: { customOptions: { removeAdditional: false } },
    routerOptions: { maxParamLength: 256 },
  }).withTypeProvider<TypeBoxTypeProvider>();
  problems(app);
  securityHeaders(app);
  await app.register(fastifyMultipart);
  await app.register(fastifySSE, { heartbeatInterval: 15_000 });
  await openapi(app, context.version);

  uploadRoute(app, context);
  imageRoutes(app, context);
  eventRoutes(app, context);
  deadLetterRoutes(app, context);
  modelRoutes(app, context);
  healthRoutes(app, context);
  metricsRoute(app, context);
  await pageRoutes(app);
  // Event streams never end by themselves: without this, closing would wait for them.
  app.addHook('preClose', () => context.feed.stop());
  return app;
};
