import fastifyMultipart from '@fastify/multipart';
import { fastifySSE } from '@fastify/sse';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { type FastifyBaseLogger, fastify } from 'fastify';
import { createAuthentication } from './authentication.ts';
import type { App, WebContext } from './context.ts';
import { describeInvalid } from './invalid-request.ts';
import { apiKeys, openAccess } from './plugins/api-keys.ts';
import { cors } from './plugins/cors.ts';
import { knownHosts } from './plugins/known-hosts.ts';
import { observation } from './plugins/observation.ts';
import { openapi } from './plugins/openapi.ts';
import { answerFramework, answerSocket, problems } from './plugins/problems.ts';
import { securityHeaders } from './plugins/security-headers.ts';
import { deadLetterRoutes } from './routes/dead-letters.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { imageRoutes } from './routes/images.ts';
import { metricsRoute } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { pageRoutes } from './routes/page.ts';
import { sessionRoutes } from './routes/session.ts';
import { summaryRoutes } from './routes/summary.ts';
import { systemRoutes } from './routes/system.ts';
import { uploadRoute } from './routes/upload.ts';
import { uploadsRoutes } from './routes/uploads.ts';

/** Builds the web server; it listens to nothing yet. Tests inject requests. */
export const buildApp = async (context: WebContext): Promise<App> => {
  // Fastify tells of every request and address at `info`; what is worth a line is logged by the routes.
  const level = context.log.isLevelEnabled('info') ? 'warn' : context.log.level;
  const { host, keys, metricsOpen, corsOrigins, trustedProxies } = context.access;
  const loggerInstance: FastifyBaseLogger = context.log.child({}, { level });
  const app = fastify({
    loggerInstance,
    requestTimeout: context.limits.requestTimeoutMs,
    // Node looks for slow requests only every 30 s unless told otherwise, and never before the header's limit.
    http: {
      connectionsCheckingInterval: 1000,
      headersTimeout: Math.min(60_000, context.limits.requestTimeoutMs),
    },
    frameworkErrors: answerFramework,
    clientErrorHandler: answerSocket(context.limits.requestTimeoutMs),
    forceCloseConnections: 'idle',
    // A misspelt filter must not go unnoticed. `strictNumbers` would keep Infinity (`1e400`) from being compared at all.
    ajv: { customOptions: { removeAdditional: false, strictNumbers: false } },
    schemaErrorFormatter: (errors, part) => describeInvalid(errors, part),
    routerOptions: { maxParamLength: 256 },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
  }).withTypeProvider<TypeBoxTypeProvider>();
  observation(app, context.metrics);
  problems(app);
  securityHeaders(app, corsOrigins);
  if (keys === undefined && trustedProxies.length === 0) knownHosts(app, host);
  // Before the keys: a preflight carries none, and a refusal must be readable, too.
  await cors(app, corsOrigins);
  const authentication = keys && createAuthentication(keys, context.log);
  if (keys && authentication) apiKeys(app, { keys, authentication, metricsOpen });
  else openAccess(app);
  await app.register(fastifyMultipart);
  await app.register(fastifySSE, { heartbeatInterval: 15_000 });
  await openapi(app, context.version, keys !== undefined);

  uploadRoute(app, context);
  await uploadsRoutes(app, context);
  imageRoutes(app, context);
  eventRoutes(app, context);
  deadLetterRoutes(app, context);
  modelRoutes(app, context);
  systemRoutes(app, context);
  summaryRoutes(app, context);
  healthRoutes(app, context);
  metricsRoute(app, context);
  sessionRoutes(app, authentication, context.log);
  await pageRoutes(app);
  // Event streams never end by themselves: without this, closing would wait for them.
  app.addHook('preClose', () => context.feed.stop());
  return app;
};
