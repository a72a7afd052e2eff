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

/**
 * Whether a browser says that another page asks: of another site, or of another port or subdomain. False without a word
 * of it, as from what is no browser.
 */
export const isOfOtherPage = (request: FastifyRequest): boolean => {
  const { 'sec-fetch-site': site, origin } = request.headers;
  // `none`: a person's own doing.
  return site === undefined
    ? origin !== undefined && !isSameOrigin(request)
    : !/^(same-origin|none)$/.test(site);
};
