import type { FastifyRequest } from 'fastify';

/**
 * Whether a browser says that the page which asks is this server's own. `sec-fetch-site` is sent over TLS and to
 * localhost; elsewhere there is `origin`, on every change. Without either it is no browser, or none to trust: false.
 */
export const isSameOrigin = ({ headers, host }: FastifyRequest): boolean => {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin = '' } = headers;
  return URL.canParse(origin) && new URL(origin).host === host;
};
