import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { openSqliteStore } from '../store/sqlite.ts';
import type { ImageEvent } from '../store/store.ts';
import { startEventFeed } from './event-feed.ts';

const log = pino({ level: 'silent' });
const never = new AbortController().signal;

const openFeed = async () => {
  const store = await openSqliteStore(join(await mkdtemp(join(tmpdir(), 'gantry-feed-')), 'gantry.db'));
  const uploadMany = async (count: number): Promise<string[]> => {
    const facts = { filename: 'a', contentType: 'image/png', bytes: 1, sha256: 'ab', pipeline: 'pets' };
    const images = Array.from({ length: count }, () => {
      const id = uuidv7();
      return { id, blob: id, ...facts };
    });
    await store.accept([{ images }], 60_000);
    return images.map(({ id }) => id);
  };
  const upload = async (): Promise<string> => (await uploadMany(1))[0] ?? '';
  return { store, upload, uploadMany, feed: startEventFeed(store, log) };
};

const take = async (events: AsyncGenerator<ImageEvent>, count: number): Promise<string[]> => {
  const ids: string[] = [];
  for await (const { imageId } of events) if (ids.push(imageId) === count) break;
  return ids;
};

test('a follower gets what was and what comes, each once and in order', async () => {
  const { store, upload, feed } = await openFeed();
  const before = [await upload(), await upload()];
  const following = take(feed.follow(0, never), 4);
  const after = [await upload()];
  feed.wake();
  after.push(await upload());
  feed.wake();
  assert.deepEqual(await following, [...before, ...after]);
  await feed.stop();
  await store.close();
});

test('without any hint the store is asked all the same', async () => {
  const { store, upload, feed } = await openFeed();
  const following = take(feed.follow(await feed.last(), never), 1);
  const id = await upload();
  assert.deepEqual(await following, [id]);
  await feed.stop();
  await store.close();
});

test('while nobody listens the store is not asked, and who comes then misses nothing', async (t) => {
  const { store, upload, feed } = await openFeed();
  const asked = [t.mock.method(store, 'lastEvent'), t.mock.method(store, 'events')];
  await upload();
  for (let n = 0; n < 5; n++) {
    feed.wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(
    asked.map(({ mock }) => mock.callCount()),
    [0, 0],
  );
  const following = take(feed.follow(await feed.last(), never), 2);
  const after = [await upload()];
  feed.wake();
  after.push(await upload());
  feed.wake();
  assert.deepEqual(await following, after);
  await feed.stop();
  await store.close();
});

test('a follower that is slower than the memory of the feed misses nothing', async () => {
  const { store, upload, uploadMany, feed } = await openFeed();
  const slow = feed.follow(0, never);
  const ids = [await upload()];
  assert.equal((await slow.next()).value?.imageId, ids[0]);
  const fast = take(feed.follow(1, never), 2500);
  ids.push(...(await uploadMany(2500)));
  feed.wake();
  assert.deepEqual(await fast, ids.slice(1));
  assert.deepEqual(await take(slow, 2500), ids.slice(1));
  await feed.stop();
  await store.close();
});

test('following ends with its client and with the feed', async () => {
  const { store, feed } = await openFeed();
  const client = new AbortController();
  const gone = take(feed.follow(0, client.signal), 1);
  const stopped = take(feed.follow(0, never), 1);
  client.abort();
  assert.deepEqual(await gone, []);
  await feed.stop();
  assert.deepEqual(await stopped, []);
  await store.close();
});
