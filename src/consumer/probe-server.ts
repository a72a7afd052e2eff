import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Metrics } from '../observability/metrics.ts';

export interface ProbeContext {
  readonly metrics: Metrics;
  /** Brings gauges up to date before a scrape. */
  readonly observe: () => void;
  /** Why no jobs can be taken now; undefined if they can. */
  readonly hindrance: () => string | undefined;
}

const answer = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
};

/**
 * What a consumer shows of itself, for Kubernetes and Prometheus: `/healthz` (this process only), `/readyz` (workers
 * and broker), `/metrics`. Listens to nothing yet.
 */
export const probeServer = ({ metrics, observe, hindrance }: ProbeContext): Server => {
  const routes = new Map<string | undefined, (response: ServerResponse) => Promise<void>>([
    ['/healthz', async (response) => answer(response, 200, 'application/json', '{"status":"ok"}')],
    [
      '/readyz',
      async (response) => {
        const why = hindrance();
        const body = why === undefined ? { status: 'ok' } : { status: 503, detail: why };
        answer(response, why === undefined ? 200 : 503, 'application/json', JSON.stringify(body));
      },
    ],
    [
      '/metrics',
      async (response) => {
        observe();
        answer(response, 200, metrics.registry.contentType, await metrics.registry.metrics());
      },
    ],
  ]);
  return createServer((request, response) => {
    // Not by URL, which throws for `//` and the like: whoever reaches the port could end the process.
    const route = routes.get(request.url?.split('?')[0]);
    if (route === undefined || request.method !== 'GET') answer(response, 404, 'text/plain', 'not found\n');
    else route(response).catch((error) => answer(response, 500, 'text/plain', `${error}\n`));
  });
};
