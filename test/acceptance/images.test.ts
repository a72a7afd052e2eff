import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  accepted,
  ended,
  events,
  fetch,
  fixture,
  type ImageJson,
  json,
  serverUnderTest,
  type UploadJson,
  upload,
} from './target.ts';

const server = serverUnderTest();

const list = async (query: string) =>
  json<{ images: ImageJson[]; next: string | null }>(await fetch(`${server.url}/images?${query}`));

test('an upload answers with a message and a correlation ID', async () => {
  const bytes = await fixture('cats/chelsea.png');
  const response = await upload(server.url, [{ name: 'chelsea.png', bytes }]);
  const body = await json<UploadJson>(response);
  assert.equal(response.status, 202);
  assert.equal(body.message, 'Image accepted');
  assert.match(body.correlationId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const [image] = body.images;
  assert.deepEqual(image, {
    id: body.correlationId,
    filename: 'chelsea.png',
    bytes: bytes.length,
    contentType: 'image/png',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    url: `/images/${body.correlationId}`,
  });
  assert.equal(response.headers.get('location'), image?.url);
});

test('several files in one request, each with its own outcome', async () => {
  const response = await upload(server.url, [
    { name: 'one.png', bytes: await fixture('cats/chelsea.png') },
    { name: 'two.txt', bytes: Buffer.from('no picture') },
    { name: 'three.jpg', bytes: await fixture('dogs/golden_retriever.jpg') },
  ]);
  const body = await json<UploadJson>(response);
  assert.equal(response.status, 202);
  const images = await Promise.all(body.images.map(({ id }) => ended(server.url, id)));
  assert.deepEqual(
    images.map(({ result }) => result?.label),
    ['cat', 'dog'],
  );
  assert.equal(body.refused?.length, 1);
  assert.equal(body.refused[0]?.filename, 'two.txt');
});

test('the list: newest first, filters, pages', async () => {
  const bytes = await fixture('cats/chelsea.png');
  const name = `page-${Date.now()}`;
  const body = await json<UploadJson>(
    await upload(
      server.url,
      [0, 1, 2, 3, 4].map((n) => ({ name: `${name}-${n}.png`, bytes })),
    ),
  );
  const ids = body.images.map(({ id }) => id).reverse();
  await Promise.all(ids.map((id) => ended(server.url, id)));
  const seen: string[] = [];
  let query = `text=${name}&limit=2`;
  for (let pages = 1; ; pages++) {
    const page = await list(query);
    seen.push(...page.images.map(({ id }) => id));
    if (page.next === null) {
      assert.equal(pages, 3);
      break;
    }
    query = `text=${name}&limit=2&cursor=${encodeURIComponent(page.next)}`;
  }
  assert.deepEqual(seen, ids);
  assert.deepEqual((await list(`text=${name}&label=cat&state=succeeded`)).images.length, 5);
  assert.deepEqual((await list(`text=${name}&label=dog`)).images, []);
  assert.deepEqual((await list(`text=${name}&state=failed`)).images, []);
  const first = (await list(`text=${name}`)).images.at(-1)?.createdAt ?? '';
  assert.equal((await list(`text=${name}&from=${first}`)).images.length, 5);
  assert.equal((await list(`text=${name}&until=${first}`)).images.length, 0);
  const sha256 = body.images[0]?.sha256 ?? '';
  assert.equal((await list(`text=${name}&sha256=${sha256}&label=cat`)).images.length, 5);
  assert.deepEqual((await list(`text=${name}&sha256=${'0'.repeat(64)}`)).images, []);
  // A percent sign in a text is a percent sign.
  assert.deepEqual((await list(`text=${encodeURIComponent('%')}`)).images, []);
});

test('events of all images as they happen, and resumed where they broke off', async () => {
  const stream = events(`${server.url}/events`);
  const first = stream.next();
  const id = await accepted(server.url, 'dogs/golden_retriever.jpg');
  const seen = [(await first).value];
  for await (const event of stream) {
    seen.push(event);
    if (event.event === 'succeeded' && JSON.parse(event.data).id === id) break;
  }
  const mine = seen.filter((event) => event !== undefined && JSON.parse(event.data).id === id);
  const states = mine.map((event) => event?.event);
  assert.equal(states[0], 'queued');
  assert.equal(states.at(-1), 'succeeded');
  assert.equal(JSON.parse(mine.at(-1)?.data ?? '').result.label, 'dog');

  // As a client that saw only the first and comes back.
  const rest: string[] = [];
  for await (const event of events(`${server.url}/events`, { 'last-event-id': mine[0]?.id ?? '' })) {
    if (JSON.parse(event.data).id === id) rest.push(event.event);
    if (event.event === 'succeeded') break;
  }
  assert.deepEqual(rest, states.slice(1));
});

test('reprocessing is a new generation with one result', async () => {
  const id = await accepted(server.url, 'cats/chelsea.png');
  const before = await ended(server.url, id);
  const response = await fetch(`${server.url}/images/${id}/reprocess`, { method: 'POST' });
  assert.equal(response.status, 202);
  assert.equal((await json<ImageJson>(response)).generation, 2);
  const image = await ended(server.url, id, 2);
  assert.equal(image.generation, 2);
  assert.equal(image.result?.label, before.result?.label);
  assert.deepEqual(image.result?.scores, before.result?.scores);
  const { entries, truncated } = await json<{
    entries: { kind: string; generation: number; sinceMs: number; timings: object | null }[];
    truncated: boolean;
  }>(await fetch(`${server.url}/images/${id}/timeline`));
  // `processing` is a hint, which may come late or not at all.
  const kinds = entries.filter(({ kind }) => kind !== 'processing').map(({ kind }) => kind);
  assert.deepEqual(kinds, ['accepted', 'queued', 'succeeded', 'reprocessed', 'succeeded']);
  assert.deepEqual([truncated, entries.at(-1)?.generation, entries[0]?.sinceMs], [false, 2, 0]);
  assert.deepEqual(entries.at(-1)?.timings, image.result?.timings);
});

test('a deleted image is gone, and those who watch are told', async () => {
  const id = await accepted(server.url, 'cats/chelsea.png');
  await ended(server.url, id);
  const watching = (async () => {
    for await (const { event, data } of events(`${server.url}/events`, { 'last-event-id': '0' })) {
      if (event === 'deleted' && JSON.parse(data).id === id) return true;
    }
    return false;
  })();
  assert.equal((await fetch(`${server.url}/images/${id}`, { method: 'DELETE' })).status, 204);
  assert.ok(await watching);
  for (const path of ['', '/original', '/thumbnail']) {
    assert.equal((await fetch(`${server.url}/images/${id}${path}`)).status, 404);
  }
  assert.equal((await fetch(`${server.url}/images/${id}`, { method: 'DELETE' })).status, 404);
});

test('only dead images are dead letters', async () => {
  const id = await accepted(server.url, 'cats/chelsea.png');
  await ended(server.url, id);
  const letters = await json<{ images: ImageJson[] }>(await fetch(`${server.url}/dead-letters`));
  assert.ok(letters.images.every(({ state }) => state === 'dead'));
  const response = await fetch(`${server.url}/dead-letters/${id}/replay`, { method: 'POST' });
  assert.equal(response.status, 409);
});
