import type { App } from '../context.ts';
import { Problem } from '../problem.ts';

const local = ['localhost', '127.0.0.1', '[::1]'];
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Refuses what is sent to a name that is not this machine's own, if the server listens to loopback; `host` is what it was told.
 * A page of anybody's can make its own name lead to 127.0.0.1 (DNS rebinding) and is then, for the browser, of the same
 * origin as a server that asks for no key. Elsewhere it cannot be known which names lead here.
 */
export const knownHosts = (app: App, host: string): void => {
  const address = (): string => {
    const bound = app.server.address();
    return typeof bound === 'object' && bound !== null ? bound.address : host;
  };
  const known = new Set([...local, host.toLowerCase(), `[${host}]`]);
  app.addHook('onRequest', async ({ headers }) => {
    // Without one it is no browser.
    if (headers.host === undefined || !isLoopback(address())) return;
    if (known.has(headers.host.replace(/:\d*$/, '').toLowerCase())) return;
    throw new Problem(
      403,
      'unknown-host',
      'this server listens to its own machine and answers to localhost only; behind a proxy, name that in trustedProxies',
    );
  });
};
