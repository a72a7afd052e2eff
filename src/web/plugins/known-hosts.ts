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
  let address = host;
  // Looking it up is a system call.
  app.server.on('listening', () => {
    const bound = app.server.address();
    if (typeof bound === 'object' && bound !== null) address = bound.address;
  });
  const known = new Set([...local, host.toLowerCase(), `[${host}]`]);
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    // Without one it is no browser.
    if (headers.host === undefined || !isLoopback(address)) return done();
    if (known.has(headers.host.replace(/:\d*$/, '').toLowerCase())) return done();
    done(
      new Problem(
        403,
        'unknown-host',
        'this server listens to its own machine and answers to localhost only; behind a proxy, name that in trustedProxies',
      ),
    );
  });
};
