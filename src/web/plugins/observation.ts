import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import { startSpan, tracing, whileActive } from '../../observability/tracing.ts';
import type { WebMetrics } from '../../observability/web-metrics.ts';
import type { App } from '../context.ts';

/** Asked all the time by machines, or open for hours. */
const untraced: ReadonlySet<string> = new Set([
  ...['/healthz', '/readyz', '/metrics'],
  ...['/events', '/images/:id/events'],
]);

/** Node takes 35 of them from anybody; these are what routes and browsers use. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE', 'PUT', 'PATCH']);
const methodOf = ({ method }: FastifyRequest): string => (methods.has(method) ? method : 'other');

/** A pattern, so that there are only so many; `none` where no route fits. */
const routeOf = ({ routeOptions }: FastifyRequest): string => routeOptions.url ?? 'none';

/** What proxies write down for a request whose client did not wait for the answer. */
const clientGone = 499;

/** Undefined for what is not traced. */
const spanOf = (request: FastifyRequest, route: string): Span | undefined => {
  if (!tracing() || untraced.has(route) || route.endsWith('*') || route === 'none') return undefined;
  const { method, url, headers, protocol } = request;
  const attributes = {
    'http.request.method': method,
    'http.route': route,
    'url.scheme': protocol,
    'url.path': url.split('?')[0] ?? url,
  };
  const settings = { kind: SpanKind.SERVER, traceparent: headers.traceparent, attributes };
  return startSpan(`${method} ${route}`, settings);
};

/** A server span for each request, but for health, event streams and the page's own files, and the duration of every one. */
export const observation = (app: App, { httpSeconds }: Pick<WebMetrics, 'httpSeconds'>): void => {
  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', (request, reply, done) => {
    const route = routeOf(request);
    const span = spanOf(request, route);
    // Not Fastify's onResponse, which never comes for a client that has gone.
    reply.raw.once('close', () => {
      const status = reply.raw.headersSent ? reply.statusCode : clientGone;
      // How long somebody listened is no duration of ours.
      const listened = route.endsWith('/events') && status === 200;
      const labels = { method: methodOf(request), route, status };
      if (!listened) httpSeconds.observe(labels, reply.elapsedTime / 1000);
      span?.setAttribute('http.response.status_code', status);
      if (status >= 500)
        span?.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', `${status}`);
      span?.end();
    });
    if (span === undefined) return done();
    spans.set(request, span);
    return whileActive(span, done);
  });
  // Reading a body goes by the socket's events, which know of no context: the handler gets it once more.
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else whileActive(span, done);
  });
};
