import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { FastifyRequest } from 'fastify';
import { startSpan, whileActive } from '../../observability/tracing.ts';
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

/** A server span for each request, but for health, event streams and the page's own files, and the duration of every one. */
export const observation = (app: App, { httpSeconds }: Pick<WebMetrics, 'httpSeconds'>): void => {
  const spans = new WeakMap<FastifyRequest, Span>();
  app.addHook('onRequest', (request, _reply, done) => {
    const route = routeOf(request);
    if (untraced.has(route) || route.endsWith('*') || route === 'none') return done();
    const { method, url, headers } = request;
    const attributes = {
      'http.request.method': method,
      'http.route': route,
      'url.path': url.split('?')[0] ?? url,
    };
    const settings = { kind: SpanKind.SERVER, traceparent: headers.traceparent, attributes };
    const span = startSpan(`${method} ${route}`, settings);
    spans.set(request, span);
    return whileActive(span, done);
  });
  // Reading a body goes by the socket's events, which know of no context: the handler gets it once more.
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else whileActive(span, done);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { statusCode: status, elapsedTime } = reply;
    const labels = { method: methodOf(request), route: routeOf(request), status };
    httpSeconds.observe(labels, elapsedTime / 1000);
    const span = spans.get(request);
    span?.setAttribute('http.response.status_code', status);
    if (status >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
  });
};
