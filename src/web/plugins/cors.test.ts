import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeKey, openWeb } from '../web.testing.ts';

const ours = 'https://app.example.com';
const preflight = (origin: string) => ({
  method: 'OPTIONS' as const,
  url: '/upload',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  },
});

test('by default no other page gets a single CORS header', async (t) => {
  const { app } = await openWeb(t);
  for (const request of [preflight(ours), { url: '/images', headers: { origin: ours } }]) {
    const { headers } = await app.inject(request);
    assert.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  }
});

test('pages of the origins that are set may use the API, with a key and without cookies', async (t) => {
  const own = madeKey(['admin']);
  const environment = { GANTRY_CORS_ORIGINS: `${ours}, http://localhost:3000` };
  const { app } = await openWeb(t, { keys: [own.entry], environment });
  const allowed = await app.inject(preflight(ours));
  assert.equal(allowed.statusCode, 204);
  assert.equal(allowed.headers['access-control-allow-origin'], ours);
  assert.equal(allowed.headers['access-control-allow-credentials'], undefined);
  assert.match(String(allowed.headers['access-control-allow-headers']), /authorization/);
  // No preflight, but no mistake either; refusing it would be the one answer that is no problem+json.
  assert.equal((await app.inject({ method: 'OPTIONS', url: '/upload' })).statusCode, 204);
  const cross = { origin: ours, 'sec-fetch-site': 'cross-site' };
  const headers = { ...cross, authorization: `Bearer ${own.key}` };
  const replay = await app.inject({ method: 'POST', url: '/dead-letters/replay', headers });
  assert.equal(replay.statusCode, 202);
  const refused = await app.inject({ url: '/images', headers: cross });
  assert.equal(refused.statusCode, 401);
  assert.equal(refused.headers['access-control-allow-origin'], ours, 'or the page could not read why');

  for (const origin of ['https://evil.example.com', 'https://app.example.com.evil.example', 'null']) {
    const other = await app.inject(preflight(origin));
    assert.equal(other.headers['access-control-allow-origin'], undefined, origin);
    const change = await app.inject({
      ...{ method: 'POST', url: '/dead-letters/replay' },
      headers: { ...headers, origin },
    });
    assert.equal(change.statusCode, 403, origin);
  }
});
