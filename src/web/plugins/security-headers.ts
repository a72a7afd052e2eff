import type { App } from '../context.ts';
import { Problem } from '../problem.ts';
import { isOfOtherPage } from '../same-origin.ts';

const page = [
  "default-src 'self'",
  "img-src 'self' blob: data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Headers that every answer carries, and no changes on behalf of another page (browsers say whose it is), but
 * for those of `trustedOrigins`. A route may set a stricter `content-security-policy` itself.
 */
export const securityHeaders = (app: App, trustedOrigins: readonly string[]): void => {
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      'content-security-policy': page,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    const reading = request.method === 'GET' || request.method === 'HEAD';
    const { origin = '' } = request.headers;
    if (reading || !isOfOtherPage(request) || trustedOrigins.includes(origin)) return done();
    done(new Problem(403, 'cross-site', 'another page than this server’s own may not change anything here'));
  });
};
