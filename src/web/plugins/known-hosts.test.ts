import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeKey, openWeb } from '../web.testing.ts';

const stranger = 'evil.example.com:5000';

test('an open server on loopback answers to its own names only', async (t) => {
  const { app } = await openWeb(t, { environment: { GANTRY_CORS_ORIGINS: 'https://a.example.com' } });
  const get = (host: string, url = '/images') => app.inject({ url, headers: { host } });
  for (const host of ['localhost', 'LocalHost:1', '127.0.0.1:5000', '[::1]', '[::1]:5000'])
    assert.equal((await get(host)).statusCode, 200, host);
  const strangers = ['evil.example.com', '127.0.0.1.evil.example.com', 'localhost.evil.example.com:5000'];
  for (const host of [...strangers, '10.0.0.1:5000', 'localhost:5000:80', 'a@localhost']) {
    const { statusCode, headers, json } = await get(host);
    assert.deepEqual([statusCode, json().code], [403, 'unknown-host'], host);
    assert.match(String(headers['content-type']), /^application\/problem\+json/);
  }
  for (const url of ['/', '/events', '/metrics', '/docs', '/none'])
    assert.equal((await get(stranger, url)).statusCode, 403, url);
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/upload',
    headers: {
      host: stranger,
      origin: 'https://a.example.com',
      'access-control-request-method': 'POST',
    },
  });
  assert.equal(preflight.statusCode, 403);
});

for (const host of ['127.0.0.2', '::1', 'localhost']) {
  test(`the name that it was told is its own: ${host}`, async (t) => {
    const { app } = await openWeb(t, { environment: { GANTRY_HOST: host } });
    const own = host.includes(':') ? `[${host}]` : host;
    const ask = (name: string) => app.inject({ url: '/images', headers: { host: name } });
    assert.equal((await ask(`${own}:5000`)).statusCode, 200);
    assert.equal((await ask(stranger)).statusCode, 403);
  });
}

test('a name that led to loopback is its own, too', async (t) => {
  const { app } = await openWeb(t, { environment: { GANTRY_HOST: 'pictures' } });
  const ask = async (host: string): Promise<number> =>
    (await app.inject({ url: '/images', headers: { host } })).statusCode;
  assert.equal(await ask(stranger), 200, 'it does not listen yet');
  await app.listen({ host: '127.0.0.1', port: 0 });
  assert.equal(await ask(stranger), 403);
  assert.equal(await ask('pictures:5000'), 200);
});

const unchecked: [what: string, options: Parameters<typeof openWeb>[1]][] = [
  ['listens to others', { environment: { GANTRY_HOST: '0.0.0.0' } }],
  ['listens to others by IPv6', { environment: { GANTRY_HOST: '::' } }],
  ['stands behind a proxy', { environment: { GANTRY_TRUSTED_PROXIES: '127.0.0.1' } }],
  ['wants keys', { keys: [madeKey(['read']).entry] }],
];
for (const [what, options] of unchecked) {
  test(`a server that ${what} answers to any name`, async (t) => {
    const { app } = await openWeb(t, options);
    const answer = await app.inject({ url: '/healthz', headers: { host: stranger } });
    assert.equal(answer.statusCode, 200);
  });
}
