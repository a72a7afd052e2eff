import { Type } from 'typebox';
import { type ApiKey, scopes } from '../../access/api-key.ts';
import type { Logger } from '../../observability/log.ts';
import { Nullable } from '../../pipeline/image.ts';
import type { Authentication } from '../authentication.ts';
import type { App } from '../context.ts';
import { Problem } from '../problem.ts';
import { isSameOrigin } from '../same-origin.ts';
import { problemResponses } from '../schemas.ts';
import { signedIn, signedOut } from '../session-cookie.ts';

const Session = Type.Object({
  keys: Type.Boolean({ description: 'Whether this server wants API keys at all' }),
  key: Type.Union(
    [
      Type.Object({
        id: Type.String(),
        name: Type.String(),
        scopes: Type.Array(Type.Enum([...scopes])),
        expiresAt: Nullable(Type.String()),
      }),
      Type.Null(),
    ],
    { description: 'The key of this request; null without a valid one' },
  ),
});
const SignIn = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);

const shown = ({ id, name, scopes, expiresAt }: ApiKey) => ({ id, name, scopes: [...scopes], expiresAt });

/** Signing in with an API key, for browsers: pictures and event streams can carry a cookie and nothing else. */
export const sessionRoutes = (app: App, authentication: Authentication | undefined, log: Logger): void => {
  const tags = ['session'];
  const noStore = { 'cache-control': 'no-store' };

  const who = {
    summary: 'Whose key a request carries, and whether one is wanted',
    tags,
    response: { 200: Session },
  };
  app.get('/session', { schema: who }, async (request, reply) => {
    const key = authentication?.identify(request) ?? null;
    return reply.headers(noStore).send({ keys: authentication !== undefined, key: key && shown(key) });
  });

  const begin = {
    summary: 'Sign in: the key is kept in a cookie that scripts cannot read',
    tags,
    body: SignIn,
    response: { 200: Session, ...problemResponses },
  };
  app.post('/session', { schema: begin, bodyLimit: 4096 }, async (request, reply) => {
    if (authentication === undefined) {
      throw new Problem(409, 'no-keys', 'this server has no API keys: nobody needs to sign in');
    }
    // Else another page could sign a browser in with a key of its own, and see what is uploaded afterwards.
    const browser = request.headers.origin ?? request.headers['sec-fetch-site'];
    if (browser !== undefined && !isSameOrigin(request)) {
      throw new Problem(403, 'cross-site', 'only the page of this server may sign in');
    }
    const text = request.body.key.trim();
    const key = authentication.signIn(text, request);
    log.info({ keyId: key.id, address: request.ip }, 'signed in');
    return reply
      .headers({ ...noStore, 'set-cookie': signedIn(text, request) })
      .send({ keys: true, key: shown(key) });
  });

  const end = { summary: 'Sign out', tags, response: { 204: Type.Null() } };
  app.delete('/session', { schema: end }, async (request, reply) => {
    // Pictures that the browser has kept are not for who sits there next.
    const headers = { 'set-cookie': signedOut(request), 'clear-site-data': '"cache"' };
    return reply.code(204).headers(headers).send(null);
  });
};
