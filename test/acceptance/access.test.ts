import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorization, fetch, json, problem, serverUnderTest } from './target.ts';

const server = serverUnderTest();
/** As somebody without a key. */
const anonymous = globalThis.fetch;

interface SessionJson {
  readonly keys: boolean;
  readonly key: null | { readonly id: string; readonly scopes: string[] };
}

test('a server without API keys is open; one with keys is closed to who has none', async () => {
  const { keys, key } = await json<SessionJson>(await anonymous(`${server.url}/session`));
  assert.equal(key, null);
  if (!keys) {
    assert.equal((await anonymous(`${server.url}/images`)).status, 200);
    return;
  }
  for (const [method, path] of [
    ['POST', '/upload'],
    ['GET', '/images'],
    ['GET', '/events'],
    ['DELETE', '/images/01890000-0000-7000-8000-000000000000'],
    ['POST', '/dead-letters/replay'],
  ] as const) {
    const response = await anonymous(`${server.url}${path}`, { method });
    assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="gantry"');
    await problem(response, 401, 'key-needed');
  }
  const own = await json<SessionJson>(await fetch(`${server.url}/session`));
  assert.equal(own.key?.id, authorization.authorization?.slice('Bearer gantry_'.length).slice(0, 12));
});

test('health, the page and its sign-in are open whether there are keys or not', async () => {
  for (const path of ['/healthz', '/readyz', '/', '/session'])
    assert.equal((await anonymous(`${server.url}${path}`)).status, 200, path);
});

test('no page of another origin is let in, and no answer is to be sniffed, framed or kept by others', async () => {
  const response = await fetch(`${server.url}/images`, { headers: { origin: 'https://other.example.com' } });
  assert.equal(response.headers.get('access-control-allow-origin'), null);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(response.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
  assert.equal(response.headers.get('cross-origin-resource-policy'), 'same-origin');
});
