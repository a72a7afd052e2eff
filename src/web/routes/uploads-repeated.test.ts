import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cat, clientOf } from '../tus.testing.ts';
import { madeKey, openWeb } from '../web.testing.ts';

const keyed = { 'idempotency-key': 'visit-4711' };

test('begun again with the same Idempotency-Key it is the same upload, and says where that stands', async (t) => {
  const server = await openWeb(t);
  const { create, created, patch } = clientOf(server, undefined, keyed);
  const first = await create();
  assert.deepEqual([first.statusCode, first.headers['idempotent-replayed']], [201, undefined]);
  const url = `/${first.headers.location}`;
  await patch(url, 0, cat.subarray(0, 9));
  const again = await create();
  assert.deepEqual(
    ['location', 'upload-offset', 'idempotent-replayed'].map((name) => again.headers[name]),
    [first.headers.location, '9', 'true'],
  );
  assert.equal(again.statusCode, 201);
  const imageId = (await patch(url, 9, cat.subarray(9))).headers['gantry-image-id'];
  const done = await create();
  assert.deepEqual([done.statusCode, done.headers['gantry-image-id']], [200, imageId]);
  const { correlationId, images } = done.json();
  assert.deepEqual([correlationId, images.length, images[0].bytes], [imageId, 1, cat.length]);
  assert.equal((await server.store.images({ limit: 9 })).images.length, 1);

  const longer = await create(cat.length + 1);
  assert.deepEqual([longer.statusCode, longer.json().code], [422, 'idempotency-key-reused']);
  assert.notEqual(await clientOf(server, undefined, { 'idempotency-key': 'other' }).created(), url);
  assert.notEqual(await clientOf(server).created(), url);
  assert.equal(await created(), url);
});

test('two at once with the same key begin one upload', async (t) => {
  const server = await openWeb(t);
  const { created } = clientOf(server, undefined, keyed);
  assert.equal(new Set(await Promise.all(Array.from({ length: 8 }, () => created()))).size, 1);
});

test('an Idempotency-Key is its API key’s own', async (t) => {
  const [one, two] = [madeKey(['upload']), madeKey(['upload'])];
  const server = await openWeb(t, { keys: [one.entry, two.entry] });
  const [first, second] = [one, two].map(({ key }) => clientOf(server, key, keyed));
  assert.notEqual(await first?.created(), await second?.created());
});

test('what has expired or was given up begins anew; what was refused stays so, and what was deleted', async (t) => {
  const server = await openWeb(t);
  const { create, created, patch, ask } = clientOf(server, undefined, keyed);
  const url = await created();
  await patch(url, 0, cat.subarray(0, 9));
  assert.equal((await ask('DELETE', url)).statusCode, 204);
  const anew = await create();
  assert.deepEqual([anew.statusCode, anew.headers['upload-offset']], [201, '0']);
  assert.notEqual(`/${anew.headers.location}`, url);
  const imageId = String((await patch(`/${anew.headers.location}`, 0, cat)).headers['gantry-image-id']);
  assert.equal((await server.app.inject({ method: 'DELETE', url: `/images/${imageId}` })).statusCode, 204);
  const deleted = await create();
  assert.deepEqual([deleted.statusCode, deleted.json().code], [410, 'upload-gone']);

  const film = clientOf(server, undefined, { 'idempotency-key': 'film' });
  await film.patch(await film.created(10_000), 0, Buffer.alloc(10_000, 'film'));
  const refused = await film.create(10_000);
  assert.deepEqual([refused.statusCode, refused.json().code], [415, 'unsupported-type']);
});

test('a full server takes what is begun, and no more', async (t) => {
  const server = await openWeb(t, { environment: { GANTRY_MAX_BACKLOG: '1' } });
  const { create } = clientOf(server, undefined, keyed);
  assert.equal((await create()).statusCode, 201);
  const others = async (n = 0): Promise<number> => {
    const { statusCode } = await clientOf(server, undefined, { 'idempotency-key': `${n}` }).create();
    // How many there are may be known a second late.
    return statusCode === 201 ? others(n + 1) : statusCode;
  };
  assert.equal(await others(), 503);
  assert.equal((await create()).statusCode, 201);
});
