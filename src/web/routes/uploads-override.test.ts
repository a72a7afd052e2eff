import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cat, clientOf } from '../tus.testing.ts';
import { madeKey, openWeb } from '../web.testing.ts';

test('a POST stands for PATCH, HEAD or DELETE, and is answered as they are', async (t) => {
  const { key, entry } = madeKey(['upload']);
  const server = await openWeb(t, { keys: [entry] });
  const { created, override, ask } = clientOf(server, key);
  const url = await created();
  const first = await override('PATCH', url, 0, cat.subarray(0, 9));
  assert.deepEqual([first.statusCode, first.headers['upload-offset']], [204, '9']);
  const [asked, really] = [await override('HEAD', url), await ask('HEAD', url)];
  for (const name of ['upload-offset', 'upload-length', 'upload-expires', 'tus-resumable', 'cache-control'])
    assert.equal(asked.headers[name], really.headers[name], name);
  assert.deepEqual([asked.statusCode, asked.headers['upload-offset']], [200, '9']);
  const last = await override('PATCH', url, 9, cat.subarray(9));
  assert.equal((await server.store.image(String(last.headers['gantry-image-id'])))?.bytes, cat.length);
  const other = await created();
  assert.equal((await override('DELETE', other)).statusCode, 204);
  assert.equal((await ask('HEAD', other)).statusCode, 410);
});

test('a POST that stands for nothing, or for what is not there, is refused and does nothing', async (t) => {
  const { key, entry } = madeKey(['upload']);
  const reader = madeKey(['read']);
  const server = await openWeb(t, { keys: [entry, reader.entry] });
  const { created, override, ask } = clientOf(server, key);
  const url = await created();
  for (const method of [undefined, 'PUT', 'GET', 'patch', ''] as const) {
    const answer = await override(method, url, 0, cat);
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'invalid-request'], `${method}`);
    assert.match(answer.json().detail, /x-http-method-override/i);
  }
  assert.equal((await override('DELETE', '/uploads/none')).json().code, 'not-found');
  assert.equal((await clientOf(server, reader.key).override('DELETE', url)).statusCode, 403);
  const otherVersion = clientOf(server, key, { 'tus-resumable': '0.2' });
  assert.equal((await otherVersion.override('DELETE', url)).json().code, 'tus-version');
  assert.equal((await ask('HEAD', url)).headers['upload-offset'], '0');
});
