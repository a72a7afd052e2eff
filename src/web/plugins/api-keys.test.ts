import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import type { FastifyInstance, InjectOptions, RouteOptions } from 'fastify';
import { scopeOf } from '../route-scopes.ts';
import { madeKey, openWeb } from '../web.testing.ts';

type Route = { method: string; url: string };
type Method = NonNullable<InjectOptions['method']>;

/** Every route that is registered while `work` runs, those of plugins, too. */
const routesOf = async (work: () => Promise<unknown>): Promise<Route[]> => {
  const routes: Route[] = [];
  const listen = (message: unknown): void => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }: RouteOptions) => {
      for (const one of [method].flat()) routes.push({ method: String(one), url });
    });
  };
  subscribe('fastify.initialization', listen);
  try {
    await work();
  } finally {
    unsubscribe('fastify.initialization', listen);
  }
  return routes;
};
const anId = '019b0000-0000-7000-8000-000000000000';
const pathOf = (url: string): string => url.replace(':id', anId).replace(/^\*$/, '/any').replace('*', '');
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('of every route somebody has decided who may use it, and without a key nothing else is open', {
  timeout: 60_000,
}, async (t) => {
  let web: Awaited<ReturnType<typeof openWeb>> | undefined;
  const environment = { GANTRY_CORS_ORIGINS: 'https://a.example.com', GANTRY_METRICS_OPEN: 'false' };
  const routes = await routesOf(async () => {
    web = await openWeb(t, { keys: [], environment });
  });
  assert.ok(web && routes.length > 30);
  const { app } = web;
  const undecided = routes.filter(({ method, url }) => scopeOf(method, url) === undefined);
  assert.deepEqual(undecided, []);
  const closed: string[] = [];
  for (const { method, url } of routes) {
    const answer = await app.inject({ method: method as Method, url: pathOf(url) });
    const { statusCode } = answer;
    assert.equal(statusCode === 401, scopeOf(method, url) !== 'open', `${method} ${url}: ${statusCode}`);
    if (statusCode === 401) closed.push(`${method} ${url}`);
  }
  for (const route of [
    'POST /upload',
    'GET /images',
    'HEAD /images',
    'GET /events',
    'GET /metrics',
    'GET /docs',
  ])
    assert.ok(closed.includes(route) || closed.includes(`${route}/`), route);
});

test('what each scope may, and that a refusal names the scope', async (t) => {
  const [upload, read, admin] = [madeKey(['upload']), madeKey(['read']), madeKey(['admin'])];
  const { app } = await openWeb(t, { keys: [upload, read, admin].map(({ entry }) => entry) });
  const requests = [
    ['POST', '/upload', 'upload'],
    ['GET', '/images', 'read'],
    ['GET', `/images/${anId}`, 'read'],
    ['GET', '/dead-letters', 'read'],
    ['GET', '/models', 'read'],
    ['GET', '/system', 'read'],
    ['GET', '/summary', 'read'],
    ['GET', '/openapi.json', 'read'],
    ['DELETE', `/images/${anId}`, 'admin'],
    ['POST', `/images/${anId}/reprocess`, 'admin'],
    ['POST', `/dead-letters/${anId}/replay`, 'admin'],
    ['POST', '/dead-letters/replay', 'admin'],
  ] as const;
  for (const [own, { key }] of Object.entries({ upload, read, admin })) {
    for (const [method, url, scope] of requests) {
      const answer = await app.inject({ method, url, headers: bearer(key) });
      const what = `${own}: ${method} ${url}: ${answer.statusCode}`;
      assert.equal(answer.statusCode === 403, own !== scope && own !== 'admin', what);
      assert.notEqual(answer.statusCode, 401, what);
      if (answer.statusCode !== 403) continue;
      const { code, scope: named } = answer.json();
      assert.deepEqual([code, named], ['scope-missing', scope]);
      const challenge = `Bearer realm="gantry", error="insufficient_scope", scope="${scope}"`;
      assert.equal(answer.headers['www-authenticate'], challenge);
    }
  }
});

test('every key that is none is answered alike; only the log knows why', async (t) => {
  const [own, stranger] = [madeKey(['admin']), madeKey(['admin'])];
  const old = madeKey(['admin'], { expiresAt: '2026-01-01T00:00:00Z' });
  const { app, lines } = await openWeb(t, { keys: [own.entry, old.entry] });
  const get = (authorization: string) => app.inject({ url: '/images', headers: { authorization } });
  const refused: [why: string, key: string][] = [
    ['malformed', 'gantry'],
    ['malformed', own.key.slice(0, -1)],
    ['malformed', own.entry.sha256],
    ['unknown', stranger.key],
    ['wrong-secret', `gantry_${own.entry.id}_${stranger.key.slice(-43)}`],
    ['expired', old.key],
  ];
  const answers = [];
  for (const [why, key] of refused) {
    const { statusCode, headers, body } = await get(`Bearer ${key}`);
    const { date: _, ...rest } = headers;
    answers.push(JSON.stringify({ statusCode, rest, body }));
    const line = lines.at(-1);
    assert.deepEqual([line?.msg, line?.why, line?.address], ['API key refused', why, '127.0.0.1']);
    assert.ok(!JSON.stringify(lines).includes(key.slice(-43)) || key.length < 43, why);
  }
  assert.equal(new Set(answers).size, 1, answers.join('\n'));
  assert.match(answers[0] ?? '', /"statusCode":401.*error=\\"invalid_token\\".*key-refused/);
  for (const authorization of ['', 'Basic Z2FudHJ5OmdhbnRyeQ==', 'Bearer']) {
    const none = await get(authorization);
    assert.deepEqual([none.statusCode, none.json().code], [401, 'key-needed']);
    assert.equal(none.headers['www-authenticate'], 'Bearer realm="gantry"');
  }
  assert.equal((await get(`bearer  ${own.key} `)).statusCode, 200);
});

test('a revoked key is refused, and one with fewer scopes may no more than these', async (t) => {
  const own = madeKey(['read', 'upload']);
  const { app, setKeys } = await openWeb(t, { keys: [own.entry] });
  const status = async (): Promise<number> =>
    (await app.inject({ url: '/images', headers: bearer(own.key) })).statusCode;
  const until = async (expected: number): Promise<void> => {
    while ((await status()) !== expected) await new Promise(setImmediate);
  };
  assert.equal(await status(), 200);
  await setKeys([{ ...own.entry, scopes: ['upload'] }]);
  await until(403);
  await setKeys([]);
  await until(401);
});

test('a metric tells that the key file cannot be used; the keys of before hold on', async (t) => {
  const own = madeKey(['read']);
  const { app, breakKeys, keyFile, setKeys } = await openWeb(t, { keys: [own.entry] });
  const usable = async (): Promise<string | undefined> =>
    /^gantry_api_key_file_up (.*)$/m.exec((await app.inject({ url: '/metrics' })).body)?.[1];
  const until = async (expected: string): Promise<void> => {
    while ((await usable()) !== expected) await new Promise(setImmediate);
  };
  assert.equal(await usable(), '1');
  await breakKeys();
  await until('0');
  assert.equal((await app.inject({ url: '/images', headers: bearer(own.key) })).statusCode, 200);
  await rm(keyFile);
  await setKeys([]);
  await until('1');
  assert.equal((await app.inject({ url: '/images', headers: bearer(own.key) })).statusCode, 401);
  const open = await openWeb(t);
  assert.doesNotMatch((await open.app.inject({ url: '/metrics' })).body, /^gantry_api_key_file_up /m);
});

test('an event stream ends when its key is revoked', { timeout: 20_000 }, async (t) => {
  const own = madeKey(['read']);
  const { app, setKeys } = await openWeb(t, { keys: [own.entry] });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const response = await fetch(`${url}/events`, {
    headers: { ...bearer(own.key), accept: 'text/event-stream' },
  });
  assert.equal(response.status, 200);
  await setKeys([]);
  await assert.rejects(response.text());
});

test('each key has its own rate, and is told of it', async (t) => {
  const [slow, other] = [madeKey(['read'], { rate: '2/h' }), madeKey(['read'])];
  const { app } = await openWeb(t, { keys: [slow.entry, other.entry] });
  const get = (key: string) => app.inject({ url: '/models', headers: bearer(key) });
  const first = await get(slow.key);
  assert.deepEqual(
    ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].map((name) => Number(first.headers[name])),
    [2, 1, 1800],
  );
  assert.equal((await get(slow.key)).statusCode, 200);
  const third = await get(slow.key);
  assert.equal(third.statusCode, 429);
  assert.equal(third.json().code, 'rate-limited');
  assert.match(third.json().detail, /limited to 2\/h; try again in \d+ s/);
  const after = Number(third.headers['retry-after']);
  assert.ok(after > 1700 && after <= 1800, String(after));
  const free = await get(other.key);
  assert.equal(free.statusCode, 200);
  assert.equal(free.headers['ratelimit-limit'], undefined);
});

test('too many keys refused to one address: 429 for the next ones, no more lines, and a valid key still works', async (t) => {
  const own = madeKey(['read']);
  const { app, lines } = await openWeb(t, { keys: [own.entry] });
  const get = (key: string) => app.inject({ url: '/models', headers: bearer(key) });
  for (let n = 0; n < 10; n += 1) assert.equal((await get(madeKey(['read']).key)).statusCode, 401);
  const before = lines.length;
  const next = await get(madeKey(['read']).key);
  assert.deepEqual([next.statusCode, next.json().code], [429, 'too-many-failures']);
  assert.ok(Number(next.headers['retry-after']) > 0);
  assert.equal(lines.length, before);
  assert.equal((await get(own.key)).statusCode, 200);
});

test('refused keys are counted for a whole network of IPv6, and for an IPv4 address however it is written', async (t) => {
  const { app } = await openWeb(t, { keys: [] });
  const status = async (remoteAddress: string): Promise<number> => {
    const headers = bearer(madeKey(['read']).key);
    return (await app.inject({ url: '/models', headers, remoteAddress })).statusCode;
  };
  for (let n = 1; n <= 10; n += 1) {
    assert.equal(await status(`2001:db8::${n}`), 401);
    assert.equal(await status(n % 2 === 0 ? '192.0.2.1' : '::ffff:192.0.2.1'), 401);
  }
  assert.equal(await status('2001:db8::ffff:0:0:1'), 429);
  assert.equal(await status('192.0.2.1'), 429);
  assert.equal(await status('::ffff:192.0.2.1'), 429);
  assert.equal(await status('2001:db8:0:1::1'), 401);
  assert.equal(await status('192.0.2.2'), 401);
});

test('where there are no keys everything is open, and nobody minds one', async (t) => {
  const { app } = await openWeb(t);
  assert.equal((await app.inject({ url: '/images' })).statusCode, 200);
  assert.equal((await app.inject({ url: '/images', headers: bearer('gantry_x') })).statusCode, 200);
  assert.equal((await app.inject({ url: '/openapi.json' })).json().components?.securitySchemes, undefined);
});

test('the OpenAPI document says which scope an operation needs', async (t) => {
  const own = madeKey(['read']);
  const { app } = await openWeb(t, { keys: [own.entry] });
  const { paths, components } = (await app.inject({ url: '/openapi.json', headers: bearer(own.key) })).json();
  assert.equal(components.securitySchemes.apiKey.scheme, 'bearer');
  assert.deepEqual(paths['/upload'].post.security, [{ apiKey: ['upload'] }]);
  assert.deepEqual(paths['/images/{id}'].delete.security, [{ apiKey: ['admin'] }]);
  assert.deepEqual(paths['/images/{id}'].get.security, [{ apiKey: ['read'] }]);
  assert.deepEqual(paths['/healthz'].get.security, []);
});

test('a browser that opens /docs without a key is sent to sign in, a machine is told', async (t) => {
  const own = madeKey(['read']);
  const { app } = await openWeb(t, { keys: [own.entry] });
  const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
  for (const [url, location] of [
    ['/docs', './'],
    ['/docs?x=//evil.example.com', './'],
    ['/docs/', '../'],
    ['/docs/static/index.html', '../../'],
  ] as const) {
    for (const headers of [browser, { ...browser, cookie: `gantry_key=${madeKey(['read']).key}` }]) {
      const answer = await app.inject({ url, headers });
      assert.deepEqual([answer.statusCode, answer.headers.location], [303, location], url);
      assert.equal(new URL(location, `http://localhost${url}`).href, 'http://localhost/');
      assert.equal(answer.headers['cache-control'], 'no-store');
    }
    for (const headers of [{}, { accept: '*/*' }, { ...browser, ...bearer('none') }])
      assert.equal((await app.inject({ url, headers })).statusCode, 401, url);
  }
  assert.equal((await app.inject({ url: '/images', headers: browser })).statusCode, 401);
  const uploader = madeKey(['upload']);
  const other = await openWeb(t, { keys: [uploader.entry] });
  const cookie = `gantry_key=${uploader.key}`;
  const answer = await other.app.inject({ url: '/docs', headers: { ...browser, cookie } });
  assert.equal(answer.statusCode, 403);
});
