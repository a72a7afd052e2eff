import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ApiKey, allows, type Scope } from '../access/api-key.ts';
import { clientNetwork } from '../access/client-network.ts';
import type { KeyRing } from '../access/key-ring.ts';
import { createRateLimit, parseRate } from '../access/rate.ts';
import type { Logger } from '../observability/log.ts';
import { Problem } from './problem.ts';
import type { ProblemCode } from './problem-codes.ts';
import { isSameOrigin } from './same-origin.ts';
import { keyInCookie } from './session-cookie.ts';

/** Who asks, where there are API keys. */
export interface Authentication {
  /** The key that the request carries, if it is valid; null without one. */
  identify(request: FastifyRequest): ApiKey | null;
  /** The key that somebody signs in with. Throws the problem if it is refused. */
  signIn(text: string, request: FastifyRequest): ApiKey;
  /**
   * The key that the request carries, if it may do what needs `scope`, and takes the request off the key's rate.
   * Throws the problem otherwise: 401, 403 or 429.
   */
  admit(request: FastifyRequest, reply: FastifyReply, scope: Scope): ApiKey;
}

// RFC 6750, 3: without credentials only what is wanted, with bad ones also what is wrong with them.
const challenge = 'Bearer realm="gantry"';

const needed = (): Problem =>
  new Problem(401, 'key-needed', 'this server wants an API key: Authorization: Bearer gantry_...', {
    headers: { 'www-authenticate': challenge },
  });
const refused = (): Problem =>
  new Problem(401, 'key-refused', 'the API key is not valid, or not any more', {
    headers: { 'www-authenticate': `${challenge}, error="invalid_token"` },
  });
const missing = (scope: Scope): Problem =>
  new Problem(403, 'scope-missing', `the API key lacks the scope ${scope}, which this needs`, {
    headers: { 'www-authenticate': `${challenge}, error="insufficient_scope", scope="${scope}"` },
    more: { scope },
  });
const tooMany = (code: ProblemCode, what: string, retryMs: number): Problem => {
  const seconds = Math.max(1, Math.ceil(retryMs / 1000));
  const detail = `${what}; try again in ${seconds} s`;
  return new Problem(429, code, detail, { headers: { 'retry-after': String(seconds) } });
};

/** Of one address, or one network of IPv6; a valid key is taken all the same, so nobody can lock out others behind the same proxy. */
const failures = { requests: 10, windowMs: 60_000 };

type Credentials = { readonly text: string; readonly from: 'header' | 'cookie' };

const credentialsOf = (request: FastifyRequest): Credentials | undefined => {
  const text = /^bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (text !== undefined) return { text: text.trim(), from: 'header' };
  const kept = keyInCookie(request);
  return kept === undefined ? undefined : { text: kept, from: 'cookie' };
};

const isChange = ({ method }: FastifyRequest): boolean => method !== 'GET' && method !== 'HEAD';

export const createAuthentication = (keys: KeyRing, log: Logger): Authentication => {
  // Two of them: addresses, which anybody may have many of, take no room from keys.
  const [failed, limit] = [createRateLimit(), createRateLimit()];

  const check = (text: string, request: FastifyRequest): ApiKey => {
    const verified = keys.verify(text);
    if (verified.kind === 'known') return verified.key;
    const { allowed, retryMs } = failed.take(clientNetwork(request.ip), failures);
    // Beyond the limit not even a line: whoever guesses must not fill the log either.
    if (!allowed) throw tooMany('too-many-failures', 'too many keys were refused to this address', retryMs);
    log.warn({ why: verified.why, keyId: verified.id, address: request.ip }, 'API key refused');
    throw refused();
  };
  const checkCookie = (text: string, request: FastifyRequest): ApiKey => {
    // A cookie comes along unasked, also from a page on another port of this host.
    if (isChange(request) && !isSameOrigin(request)) {
      throw new Problem(403, 'cross-site', 'who is signed in by a cookie changes things from the page only');
    }
    const verified = keys.verify(text);
    // A page that stayed open sends what it has with every picture: no attempt of anybody's.
    if (verified.kind === 'refused') throw refused();
    return verified.key;
  };
  const takeRate = ({ id, rate: text }: ApiKey, reply: FastifyReply): void => {
    const rate = text === null ? undefined : parseRate(text);
    if (rate === undefined) return;
    const { allowed, remaining, retryMs, fullMs } = limit.take(id, rate);
    reply.headers({
      'ratelimit-limit': rate.requests,
      'ratelimit-remaining': remaining,
      'ratelimit-reset': Math.ceil(fullMs / 1000),
    });
    if (!allowed) throw tooMany('rate-limited', `this API key is limited to ${text}`, retryMs);
  };

  return {
    identify(request) {
      const credentials = credentialsOf(request);
      const verified = credentials && keys.verify(credentials.text);
      return verified?.kind === 'known' ? verified.key : null;
    },
    signIn: check,
    admit(request, reply, scope) {
      const credentials = credentialsOf(request);
      if (credentials === undefined) throw needed();
      const { text, from } = credentials;
      const key = from === 'cookie' ? checkCookie(text, request) : check(text, request);
      takeRate(key, reply);
      if (!allows(key, scope)) throw missing(scope);
      return key;
    },
  };
};
