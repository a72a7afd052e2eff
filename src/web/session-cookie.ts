import type { FastifyRequest } from 'fastify';

const name = 'gantry_key';

/** The key that a browser was given to keep; undefined if there is none. */
export const keyInCookie = ({ headers }: FastifyRequest): string | undefined =>
  new RegExp(`(?:^|;)\\s*${name}=([^;\\s]+)`).exec(headers.cookie ?? '')?.[1];

/**
 * A cookie that no script can read, that goes with no request from another site, and that ends with the browser.
 * A browser's own word tells whether it came over TLS, whatever proxy lies between.
 */
const cookie = (value: string, { headers, protocol }: FastifyRequest): string => {
  const secure = protocol === 'https' || headers.origin?.startsWith('https://');
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
};

/** The value of a `set-cookie` header that signs a browser in. */
export const signedIn = (key: string, request: FastifyRequest): string => cookie(key, request);

/** The value of a `set-cookie` header that signs it out. */
export const signedOut = (request: FastifyRequest): string => `${cookie('', request)}; Max-Age=0`;
