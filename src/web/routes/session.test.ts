import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeKey, openWeb } from '../web.testing.ts';

const own = madeKey(['read', 'upload'], { name: 'me' });
const me = { id: own.entry.id, name: 'me', scopes: ['read', 'upload'], expiresAt: null };
const page = { 'sec-fetch-site': 'same-origin' };
const cookieOf = (header: unknown): string => String(header).split(';')[0] ?? '';

test('signing in gives a cookie that opens the API, signing out takes it', async (t) => {
  const { app, lines } = await openWeb(t, { keys: [own.entry] });
  const nobody = await app.inject({ url: '/session' });
  assert.deepEqual(nobody.json(), { keys: true, key: null });
  assert.equal(nobody.headers['cache-control'], 'no-store');

  const payload = { key: `${own.key}\n` };
  const signIn = await app.inject({ method: 'POST', url: '/session', payload, headers: page });
  assert.equal(signIn.statusCode, 200);
  assert.deepEqual(signIn.json(), { keys: true, key: me });
  assert.equal(signIn.body.includes(own.key.slice(-43)), false);
  const set = String(signIn.headers['set-cookie']);
  assert.match(set, /; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.deepEqual([lines.at(-1)?.msg, lines.at(-1)?.keyId], ['signed in', own.entry.id]);
  assert.equal(JSON.stringify(lines).includes(own.key.slice(-43)), false);

  const cookie = `theme=dark; ${cookieOf(set)}; other=1`;
  const get = (url: string) => app.inject({ url, headers: { cookie } });
  assert.deepEqual((await get('/session')).json().key, me);
  assert.equal((await get('/images')).statusCode, 200);
  const out = await app.inject({ method: 'DELETE', url: '/session', headers: { cookie, ...page } });
  assert.equal(out.statusCode, 204);
  assert.match(String(out.headers['set-cookie']), /^gantry_key=; .*; Max-Age=0$/);
  // Pictures may be kept for a year, but not for who sits there next.
  assert.equal(out.headers['clear-site-data'], '"cache"');
});

test('the cookie is kept to TLS where the browser came by TLS', async (t) => {
  const { app } = await openWeb(t, { keys: [own.entry] });
  const headers = { ...page, origin: 'https://gantry.example.com' };
  const { headers: answer } = await app.inject({
    method: 'POST',
    url: '/session',
    payload: { key: own.key },
    headers,
  });
  assert.match(String(answer['set-cookie']), /; Secure$/);
});

test('a wrong key does not sign in, and other pages cannot', async (t) => {
  const { app } = await openWeb(t, { keys: [own.entry] });
  const post = (payload: object, headers: Record<string, string> = page) =>
    app.inject({ method: 'POST', url: '/session', payload, headers });
  const wrong = await post({ key: madeKey(['read']).key });
  assert.deepEqual([wrong.statusCode, wrong.json().code], [401, 'key-refused']);
  assert.equal(wrong.headers['set-cookie'], undefined);
  assert.equal((await post({})).statusCode, 400);
  assert.equal((await post({ key: 'x'.repeat(201) })).statusCode, 400);
  assert.equal((await post({ key: 'x'.repeat(5000) })).statusCode, 413);
  for (const headers of [
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'http://localhost:3000', host: 'localhost:5000' },
    { origin: 'null', host: 'localhost:5000' },
  ] as Record<string, string>[]) {
    const answer = await post({ key: own.key }, headers);
    assert.deepEqual([answer.statusCode, answer.json().code], [403, 'cross-site'], JSON.stringify(headers));
  }
  const same = await post({ key: own.key }, { origin: 'http://localhost:5000', host: 'localhost:5000' });
  assert.equal(same.statusCode, 200);
  // curl says nothing of pages.
  assert.equal((await post({ key: own.key }, {})).statusCode, 200);
});

test('by its cookie a browser changes things from the page only, though it reads from anywhere', async (t) => {
  const admin = madeKey(['admin']);
  const { app } = await openWeb(t, { keys: [admin.entry] });
  const cookie = `gantry_key=${admin.key}`;
  const host = 'gantry.example.com';
  const replay = async (headers: Record<string, string>): Promise<number> =>
    (await app.inject({ method: 'POST', url: '/dead-letters/replay', headers: { cookie, host, ...headers } }))
      .statusCode;
  assert.equal(await replay({}), 403);
  assert.equal(await replay({ 'sec-fetch-site': 'same-site' }), 403);
  assert.equal(await replay({ 'sec-fetch-site': 'none' }), 403);
  assert.equal(await replay({ origin: 'http://gantry.example.com:8080' }), 403);
  assert.equal(await replay({ origin: 'http://gantry.example.com', 'sec-fetch-site': 'same-site' }), 403);
  assert.equal(await replay(page), 202);
  assert.equal(await replay({ origin: 'http://gantry.example.com' }), 202);
  // A key in the header is sent on purpose.
  assert.equal(await replay({ authorization: `Bearer ${admin.key}` }), 202);
  const stale = { cookie: `gantry_key=${own.key}`, 'sec-fetch-site': 'same-origin' };
  assert.equal((await app.inject({ url: '/images', headers: stale })).statusCode, 401);
  assert.deepEqual((await app.inject({ url: '/session', headers: stale })).json(), { keys: true, key: null });
});

test('where there are no keys nobody needs to sign in', async (t) => {
  const { app } = await openWeb(t);
  assert.deepEqual((await app.inject({ url: '/session' })).json(), { keys: false, key: null });
  const answer = await app.inject({ method: 'POST', url: '/session', payload: { key: own.key } });
  assert.deepEqual([answer.statusCode, answer.json().code], [409, 'no-keys']);
});
