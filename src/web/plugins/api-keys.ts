import type { FastifyRequest } from 'fastify';
import { type ApiKey, allows, type Scope } from '../../access/api-key.ts';
import type { KeyRing } from '../../access/key-ring.ts';
import type { Authentication } from '../authentication.ts';
import type { App } from '../context.ts';
import { Problem } from '../problem.ts';
import { type Needed, scopeOf } from '../route-scopes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request was let in with; null where nothing is needed. */
    apiKey: ApiKey | null;
  }
}

/** The one page of documents that needs a key. */
const isDocs = (pattern: string): boolean => /^\/docs(\/|$)/.test(pattern);

/** How soon an open event stream ends whose key was revoked or has expired. */
const lookMs = 1000;

interface Stream {
  readonly key: ApiKey;
  readonly scope: Scope;
  end(): void;
}

/**
 * Where a browser that asks for a document is sent to sign in; undefined for whatever is no browser or brought a key of
 * its own. Relative, as the server may be below a path of a proxy.
 */
const signInOf = ({ method, url, headers }: FastifyRequest): string | undefined => {
  if (method !== 'GET' || headers.authorization !== undefined) return undefined;
  if (!/\btext\/html\b/.test(headers.accept ?? '')) return undefined;
  const [path = ''] = url.split('?');
  return '../'.repeat(path.split('/').length - 2) || './';
};

export interface Access {
  readonly keys: KeyRing;
  readonly authentication: Authentication;
  readonly metricsOpen: boolean;
}

/** Every request is anybody's; for servers without API keys. */
export const openAccess = (app: App): void => {
  app.decorateRequest('apiKey', null);
};

/**
 * Lets in only requests whose API key has the scope that their route needs ({@link scopeOf}), and ends event streams
 * whose key has lost it. A route that is not there is answered with 404 as ever.
 */
export const apiKeys = (app: App, { keys, authentication, metricsOpen }: Access): void => {
  openAccess(app);
  const streams = new Set<Stream>();

  const neededBy = (method: string, pattern: string): Needed => {
    if (pattern === '/metrics' && metricsOpen) return 'open';
    return scopeOf(method, pattern) ?? 'admin';
  };
  app.addHook('onRequest', async (request, reply) => {
    const { url: pattern } = request.routeOptions;
    if (request.is404 || pattern === undefined) return;
    const scope = neededBy(request.method, pattern);
    if (scope === 'open') return;
    // Also of the refusals; what may be kept says so itself.
    reply.header('cache-control', 'no-store');
    let key: ApiKey;
    try {
      key = authentication.admit(request, reply, scope);
    } catch (error) {
      const signIn = isDocs(pattern) && error instanceof Problem && error.status === 401;
      const location = signIn ? signInOf(request) : undefined;
      if (location === undefined) throw error;
      return reply.redirect(location, 303);
    }
    request.apiKey = key;
    if (!pattern.endsWith('/events')) return;
    const stream = { key, scope, end: () => reply.raw.destroy() };
    streams.add(stream);
    reply.raw.once('close', () => streams.delete(stream));
  });
  const looking = setInterval(() => {
    for (const { key, scope, end } of streams) {
      const now = keys.current(key);
      if (now === undefined || !allows(now, scope)) end();
    }
  }, lookMs);
  app.addHook('onClose', async () => clearInterval(looking));
};
