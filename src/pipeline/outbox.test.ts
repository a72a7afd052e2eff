import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { type Broker, PublishError } from '../broker/broker.ts';
import { memoryBroker } from '../broker/memory.ts';
import { createMetrics } from '../observability/metrics.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { NewImage, Store } from '../store/store.ts';
import { createDispatch } from './dispatch.ts';
import { encode, type Job, parseJob, type Report } from './message.ts';
import { startRecording } from './record.ts';
import { startRelay } from './relay.ts';
import { createSubmit } from './submit.ts';
import { startSweep } from './sweep.ts';

const log = pino({ level: 'silent' });

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

const sweeping = (store: Store, broker: Broker, requeued: () => void, overdueAfterMs = 0) =>
  startSweep({
    store,
    broker,
    log,
    intervalMs: 3_600_000,
    overdueAfterMs,
    keepEventsMs: 3_600_000,
    requeued,
  });

test('a submitted image is published at once and leaves the outbox', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const submit = createSubmit(store, createDispatch(store, broker, log), () => undefined);
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
  const dispatch = createDispatch(store, broker, log);
  // Lease 0: the rows are the relay's at once, not only after what a submitter may need.
  const leaseless: Store = { ...store, accept: (submissions) => store.accept(submissions, 0) };
  const submit = createSubmit(leaseless, dispatch, () => undefined);
  const images = [newImage(), newImage(), newImage()];
  for (const image of images) assert.equal((await submit({ images: [image] })).kind, 'accepted');
  assert.equal(await dispatch({ ...(await store.claimOutbox(3, 0))[0] } as Job), false);
  assert.equal((await store.outstanding()).outbox, 3);
  away = false;
  const relay = startRelay(store, dispatch, log, 3_600_000);
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
  const relay = startRelay(store, createDispatch(store, broker, log), log, 3_600_000);
  const sweep = sweeping(store, broker, relay.wake, 3_600_000);
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
const sweepOnce = async (store: Store, broker: Broker): Promise<number> => {
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
  const sweep = sweeping(expiring, { ...broker, onEmptied: () => undefined }, () => undefined);
  sweep.wake();
  await swept.promise;
  await sweep.stop();
  return (await store.outstanding()).outbox - before;
};

test('a backlog that the broker still holds is not queued again', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const submit = createSubmit(store, createDispatch(store, broker, log), () => undefined);
  await submit({ images: Array.from({ length: 20 }, newImage) });
  await settled(store);
  assert.equal(await sweepOnce(store, broker), 0);
  await store.close();
});

test('as many overdue images are queued again as the broker no longer holds', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const submit = createSubmit(store, createDispatch(store, broker, log), () => undefined);
  await submit({ images: Array.from({ length: 20 }, newImage) });
  await settled(store);
  await take(broker, 7);
  assert.equal(await sweepOnce(store, broker), 20 - (await broker.status('images')).messages);
  await store.close();
});

test('outcomes are recorded once; a repeated, late or foreign one changes nothing', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const metrics = createMetrics();
  const changes: number[] = [];
  const recording = await startRecording({ store, broker, metrics, log, changed: () => changes.push(1) });
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
  const { values } = await metrics.outcomes.get();
  assert.deepEqual(
    values.map(({ value }) => value),
    [1],
  );
  await store.close();
});
