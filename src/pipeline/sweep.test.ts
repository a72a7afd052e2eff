import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker } from '../broker/broker.ts';
import { memoryBroker } from '../broker/memory.ts';
import type { Store } from '../store/store.ts';
import { dispatching, log, metrics, newImage, openStore, relaying, settled, take } from './jobs.testing.ts';
import { createSubmit } from './submit.ts';
import { startSweep } from './sweep.ts';

const sweeping = (
  store: Store,
  broker: Broker,
  requeued: () => void,
  { overdueAfterMs = 0, newestEnded = 0, keepEventsMs = 3_600_000, settle = async () => {} } = {},
) =>
  startSweep({
    store,
    broker,
    metrics,
    log,
    intervalMs: 3_600_000,
    overdueAfterMs,
    keepEventsMs,
    newestEnded: () => newestEnded,
    settle,
    requeued,
  });

/** Sweeps once, past the first sweep, which belongs to the empty broker. Resolves with how many images it put back. */
const sweepOnce = async (store: Store, broker: Broker, times = {}): Promise<number> => {
  const before = (await store.outstanding()).outbox;
  const swept = Promise.withResolvers<void>();
  const expiring: Store = {
    ...store,
    // The last step of every sweep.
    async expire(...batch) {
      const more = await store.expire(...batch);
      swept.resolve();
      return more;
    },
  };
  const sweep = sweeping(expiring, { ...broker, onEmptied: () => undefined }, () => undefined, times);
  sweep.wake();
  await swept.promise;
  await sweep.stop();
  return (await store.outstanding()).outbox - before;
};

test('a broker that starts empty is given everything unfinished, and nothing that has ended', async () => {
  const store = await openStore();
  const [lost, done] = [newImage(), newImage()];
  await store.accept([{ images: [lost, done] }], 60_000);
  // Confirmed by the broker that lost it.
  const settle = () => store.published([{ id: lost.id, generation: 1 }]);
  await store.record([
    {
      version: 1,
      id: done.id,
      generation: 1,
      attempt: 1,
      kind: 'failed',
      error: { code: 'x', message: 'x' },
      picture: null,
    },
  ]);
  const broker = memoryBroker();
  const relay = relaying(store, broker);
  const sweep = sweeping(store, broker, relay.wake, { overdueAfterMs: 3_600_000, settle });
  const jobs = await take(broker, 1);
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [lost.id],
  );
  await Promise.all([sweep.stop(), relay.stop()]);
  assert.equal((await broker.status('images')).messages, 0);
  await store.close();
});

test('a backlog that the broker still holds is not queued again', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const submit = createSubmit(store, dispatching(store, broker), () => undefined);
  await submit({ images: Array.from({ length: 20 }, newImage) });
  await settled(store);
  assert.equal(await sweepOnce(store, broker), 0);
  await store.close();
});

test('as many overdue images are queued again as the broker no longer holds', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const submit = createSubmit(store, dispatching(store, broker), () => undefined);
  await submit({ images: Array.from({ length: 20 }, newImage) });
  await settled(store);
  await take(broker, 7);
  assert.equal(await sweepOnce(store, broker), 20 - (await broker.status('images')).messages);
  await store.close();
});

test('counts that lag behind are not believed at the first look', async () => {
  const store = await openStore();
  const broker: Broker = { ...memoryBroker(), statusLagMs: 3_600_000 };
  const image = newImage();
  await store.accept([{ images: [image] }], 60_000);
  await store.published([{ id: image.id, generation: 1 }]);
  while (Date.parse((await store.image(image.id))?.updatedAt ?? '') === Date.now());
  assert.equal(await sweepOnce(store, broker), 0);
  assert.equal(await sweepOnce(store, { ...broker, statusLagMs: 0 }), 1);
  await store.close();
});

test('an image that others overtook is queued again, though the broker is never idle', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const lost = newImage();
  await store.accept([{ images: [lost] }], 60_000);
  await store.published([{ id: lost.id, generation: 1 }]);
  // As many messages as there are unfinished images, so that none seems to be missing.
  await broker.publish('images', Buffer.from('of somebody else'));
  const hour = 3_600_000;
  const now = Date.now();
  assert.equal(await sweepOnce(store, broker, { overdueAfterMs: hour, newestEnded: now }), 0);
  const within = { overdueAfterMs: 1, newestEnded: now - hour };
  assert.equal(await sweepOnce(store, broker, within), 0, 'it may still be behind the newest that ended');
  while (Date.now() < now + 10) await new Promise((resolve) => setImmediate(resolve));
  const later = { overdueAfterMs: 1, newestEnded: Date.now() };
  assert.equal(await sweepOnce(store, broker, later), 1);
  await store.close();
});

test('an image that a consumer has at work is not missing', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const image = newImage();
  await store.accept([{ images: [image] }], 60_000);
  await store.published([{ id: image.id, generation: 1 }]);
  await store.started([{ version: 1, id: image.id, generation: 1, attempt: 1, kind: 'processing' }]);
  assert.equal(await sweepOnce(store, broker, { overdueAfterMs: 3_600_000 }), 0);
  const { images, outbox } = await store.outstanding();
  assert.deepEqual({ images, outbox }, { images: 1, outbox: 0 });
  await store.close();
});

test('the broker is told that its loss is mended only once everything is in the outbox again', async () => {
  const store = await openStore();
  const image = newImage();
  await store.accept([{ images: [image] }], 60_000);
  await store.published([{ id: image.id, generation: 1 }]);
  while (Date.now() === Date.parse((await store.image(image.id))?.updatedAt ?? ''));
  let tell: (() => Promise<void>) | undefined;
  const broker: Broker = {
    ...memoryBroker(),
    onEmptied(listener) {
      tell = listener;
    },
  };
  let away = true;
  const flaky: Store = {
    ...store,
    async requeue(...about) {
      if (away) throw new Error('the store is away');
      return store.requeue(...about);
    },
  };
  let told = false;
  const sweep = sweeping(flaky, broker, () => undefined, { overdueAfterMs: 3_600_000 });
  const mended = tell?.().then(() => {
    told = true;
  });
  await sweep.stop();
  assert.equal(told, false);
  away = false;
  const again = sweeping(flaky, broker, () => undefined, { overdueAfterMs: 3_600_000 });
  await tell?.();
  assert.equal((await store.outstanding()).outbox, 1);
  await again.stop();
  assert.notEqual(mended, undefined);
  await store.close();
});

test('a loss of many is mended in batches with a turn between, and by the next run where one failed', async () => {
  const store = await openStore();
  const images = Array.from({ length: 2_500 }, newImage);
  await store.accept([{ images }], 60_000);
  await store.published(images.map(({ id }) => ({ id, generation: 1 })));
  const newest = images.at(-1)?.id ?? assert.fail();
  while (Date.now() === Date.parse((await store.image(newest))?.updatedAt ?? ''));
  let tell = async (): Promise<void> => {};
  const broker: Broker = {
    ...memoryBroker(),
    onEmptied(listener) {
      tell = listener;
    },
  };
  const seen: number[] = [];
  let calls = 0;
  const flaky: Store = {
    ...store,
    async requeue(...about) {
      // As if the process had been killed between the first two batches.
      if (++calls === 2) throw new Error('killed');
      const count = await store.requeue(...about);
      setImmediate(async () => seen.push((await store.outstanding()).outbox));
      return count;
    },
  };
  const sweep = sweeping(flaky, broker, () => undefined);
  const mended = tell();
  await sweep.stop();
  assert.deepEqual([calls, (await store.outstanding()).outbox], [2, 1_000]);
  const next = sweeping(flaky, broker, () => undefined);
  await tell();
  await next.stop();
  assert.deepEqual(seen, [1_000, 2_000, 2_500], 'each is seen before the next one');
  assert.ok(mended instanceof Promise);
  await store.close();
});

test('one sweep drops everything that is too old, however much it is', async () => {
  const store = await openStore();
  await store.accept([{ images: Array.from({ length: 11_500 }, newImage) }], 60_000);
  const dropped = Promise.withResolvers<void>();
  const watched: Store = {
    ...store,
    async expire(...batch) {
      const more = await store.expire(...batch);
      if (!more) dropped.resolve();
      return more;
    },
  };
  const broker = { ...memoryBroker(), onEmptied: () => undefined };
  const sweep = sweeping(watched, broker, () => undefined, { keepEventsMs: -1000 });
  sweep.wake();
  await dropped.promise;
  await sweep.stop();
  assert.equal(await store.lastEvent(), 0);
  await store.close();
});
