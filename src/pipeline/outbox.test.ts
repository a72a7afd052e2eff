import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { type Broker, PublishError } from '../broker/broker.ts';
import { memoryBroker } from '../broker/memory.ts';
import { topology } from '../broker/topology.ts';
import { createMetrics } from '../observability/metrics.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { NewImage, Store } from '../store/store.ts';
import { createDispatcher, type Dispatch } from './dispatch.ts';
import { encode, type Job, parseJob, type Report } from './message.ts';
import { startRecording } from './record.ts';
import { startRelay } from './relay.ts';
import { createSubmit } from './submit.ts';
import { startSweep } from './sweep.ts';

const log = pino({ level: 'silent' });
const metrics = webMetrics(createMetrics('web'));

const newImage = (): NewImage => {
  const id = uuidv7();
  const facts = { filename: 'a.png', contentType: 'image/png', bytes: 3, sha256: 'ab', pipeline: 'pets' };
  return { id, blob: `2026/11/23/${id}.png`, ...facts };
};
const openStore = async (): Promise<Store> =>
  openSqliteStore(join(await mkdtemp(join(tmpdir(), 'gantry-outbox-')), 'gantry.db'));

/** The next `count` jobs of the queue. */
const take = async (broker: Broker, count: number): Promise<Job[]> => {
  const jobs: Job[] = [];
  const all = Promise.withResolvers<void>();
  const subscription = await broker.consume('images', { prefetch: 10 }, async ({ body }) => {
    if (jobs.push(parseJob(body)) >= count) all.resolve();
    return 'ack';
  });
  await all.promise;
  await subscription.cancel();
  return jobs;
};

const dispatching = (store: Store, broker: Broker): Dispatch =>
  createDispatcher(store, broker, metrics, log).dispatch;
const relaying = (store: Store, broker: Broker) =>
  startRelay({ store, broker, dispatch: dispatching(store, broker), log, intervalMs: 3_600_000 });

const sweeping = (
  store: Store,
  broker: Broker,
  requeued: () => void,
  { overdueAfterMs = 0, newestEnded = 0 } = {},
) =>
  startSweep({
    store,
    broker,
    metrics,
    log,
    intervalMs: 3_600_000,
    overdueAfterMs,
    keepEventsMs: 3_600_000,
    newestEnded: () => newestEnded,
    requeued,
  });

test('a submitted image is published at once and leaves the outbox', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const submit = createSubmit(store, dispatching(store, broker), () => undefined);
  const image = newImage();
  assert.deepEqual(await submit({ images: [image] }), { kind: 'accepted' });
  const [job] = await take(broker, 1);
  assert.equal(job?.id, image.id);
  assert.equal(job?.blob, image.blob);
  // Confirmed before the next transaction: by the time another upload is answered, the first row is gone.
  await submit({ images: [newImage()] });
  await take(broker, 1);
  await settled(store);
  await store.close();
});

test('while the broker is away uploads are accepted; the relay delivers them later, in order', async () => {
  const store = await openStore();
  const real = memoryBroker();
  let away = true;
  const broker: Broker = {
    ...real,
    publish: async (...message) => {
      if (away) throw new PublishError('timed-out', 'away');
      return real.publish(...message);
    },
  };
  const dispatch = dispatching(store, broker);
  // Lease 0: the rows are the relay's at once, not only after what a submitter may need.
  const leaseless: Store = { ...store, accept: (submissions) => store.accept(submissions, 0) };
  const submit = createSubmit(leaseless, dispatch, () => undefined);
  const images = [newImage(), newImage(), newImage()];
  for (const image of images) assert.equal((await submit({ images: [image] })).kind, 'accepted');
  assert.equal(await dispatch({ ...(await store.claimOutbox(3, 0))[0] } as Job), false);
  assert.equal((await store.outstanding()).outbox, 3);
  away = false;
  const relay = relaying(store, broker);
  relay.wake();
  const jobs = await take(real, 3);
  assert.deepEqual(
    jobs.map(({ id }) => id),
    images.map(({ id }) => id),
  );
  await relay.stop();
  assert.equal((await store.outstanding()).outbox, 0);
  await store.close();
});

test('a broker that starts empty is given everything unfinished, and nothing that has ended', async () => {
  const store = await openStore();
  const [lost, done] = [newImage(), newImage()];
  await store.accept([{ images: [lost, done] }], 60_000);
  await store.published([lost, done].map(({ id }) => ({ id, generation: 1 })));
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
  const sweep = sweeping(store, broker, relay.wake, { overdueAfterMs: 3_600_000 });
  const jobs = await take(broker, 1);
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [lost.id],
  );
  await Promise.all([sweep.stop(), relay.stop()]);
  assert.equal((await broker.status('images')).messages, 0);
  await store.close();
});

/** Everything the store knows is published and confirmed. */
const settled = async (store: Store): Promise<void> => {
  while ((await store.outstanding()).outbox > 0) await new Promise((resolve) => setImmediate(resolve));
};

/** Sweeps once, past the first sweep, which belongs to the empty broker. Resolves with how many images it put back. */
const sweepOnce = async (store: Store, broker: Broker, times = {}): Promise<number> => {
  const before = (await store.outstanding()).outbox;
  const swept = Promise.withResolvers<void>();
  const expiring: Store = {
    ...store,
    // The last step of every sweep.
    async expire(...batch) {
      await store.expire(...batch);
      swept.resolve();
    },
  };
  const sweep = sweeping(expiring, { ...broker, onEmptied: () => undefined }, () => undefined, times);
  sweep.wake();
  await swept.promise;
  await sweep.stop();
  return (await store.outstanding()).outbox - before;
};

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

test('the relay leaves the outbox alone while the broker is away, so that the order stays', async () => {
  const store = await openStore();
  const broker: Broker = { ...memoryBroker(), isConnected: () => false };
  await store.accept([{ images: [newImage()] }], 0);
  const relay = relaying(store, broker);
  relay.wake();
  await relay.stop();
  assert.equal((await store.claimOutbox(10, 0)).length, 1);
  await store.close();
});

test('a job that the broker gave up on costs an attempt, and its image only after the last', async () => {
  const store = await openStore();
  const broker = memoryBroker({
    topology: topology.map((queue) => ({ ...queue, ...(queue.ttlMs === undefined ? {} : { ttlMs: 1 }) })),
  });
  const image = newImage();
  await store.accept([{ images: [image] }], 0);
  const [job] = await store.claimOutbox(1, 60_000);
  const recording = await startRecording({
    ...{ store, broker, log, metrics: webMetrics(createMetrics('web')), changed: () => undefined },
    maxAttempts: 2,
  });
  await broker.publish('images.dead', encode(job ?? assert.fail()));
  const [again] = await take(broker, 1);
  assert.deepEqual(again, { ...job, attempt: 2 });
  assert.equal((await store.image(image.id))?.state, 'queued');
  await broker.publish('images.dead', encode(again ?? assert.fail()));
  while ((await broker.status('images.dead')).messages > 0)
    await new Promise((resolve) => setImmediate(resolve));
  const dead = await store.image(image.id);
  assert.deepEqual([dead?.state, dead?.attempts, dead?.error?.code], ['dead', 2, 'delivery-limit']);
  await recording.cancel();
  await store.close();
});

test('outcomes are recorded once; a repeated, late or foreign one changes nothing', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const metrics = webMetrics(createMetrics('web'));
  const changes: number[] = [];
  const changed = () => void changes.push(1);
  const recording = await startRecording({ store, broker, metrics, log, changed, maxAttempts: 5 });
  const image = newImage();
  await store.accept([{ images: [image] }], 60_000);
  const failed: Report = {
    ...{ version: 1, id: image.id, generation: 1, attempt: 2, kind: 'failed' },
    error: { code: 'undecodable', message: 'cut off' },
    picture: null,
  };
  await broker.publish('results', encode(failed));
  await broker.publish('results', encode(failed));
  await broker.publish('results', encode({ ...failed, id: uuidv7() }));
  await broker.publish('results', Buffer.from('nonsense'));
  while ((await broker.status('results')).messages > 0) await new Promise((resolve) => setImmediate(resolve));
  await recording.cancel();
  assert.equal((await store.image(image.id))?.error?.code, 'undecodable');
  assert.equal((await store.image(image.id))?.attempts, 2);
  assert.equal((await store.events(0, 100, image.id)).length, 2, 'queued and failed');
  const counted = metrics.registry.getSingleMetric('gantry_outcomes_total') ?? assert.fail();
  const { values } = await counted.get();
  assert.deepEqual(
    values.map(({ labels, value }) => [labels.state, value]),
    [
      ['failed', 1],
      ['dead', 0],
    ],
  );
  await store.close();
});
