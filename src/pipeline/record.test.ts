import assert from 'node:assert/strict';
import { test } from 'node:test';
import { v7 as uuidv7 } from 'uuid';
import { memoryBroker } from '../broker/memory.ts';
import { topology } from '../broker/topology.ts';
import { createMetrics } from '../observability/metrics.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { log, newImage, openStore, take } from './jobs.testing.ts';
import { type Ended, encode, type Report } from './message.ts';
import { startRecording } from './record.ts';

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
    ...{ recorded: () => undefined, maxAttempts: 2 },
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
  const ended: string[] = [];
  const recording = await startRecording({
    ...{ store, broker, metrics, log, changed, maxAttempts: 5 },
    recorded: (id) => ended.push(id),
  });
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
  assert.deepEqual(ended, [image.id]);
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

test('of outcomes in one message that the store cannot take together each is recorded once', async (t) => {
  // The queue gives a message back after a while.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const aWhile = async (): Promise<void> => {
    t.mock.timers.tick(1000);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const store = await openStore();
  const broker = memoryBroker();
  const images = [newImage(), newImage(), newImage()];
  await store.accept([{ images }], 60_000);
  const [, awkward, slow] = images;
  let failures = 2;
  let deliveries = 0;
  const deliveriesBySlow: number[] = [];
  const ended: string[] = [];
  const recording = await startRecording({
    ...{ log, metrics: webMetrics(createMetrics('web')), changed: () => undefined, maxAttempts: 5 },
    recorded: (id) => ended.push(id),
    broker: {
      ...broker,
      consume: (queue, options, handler) =>
        broker.consume(queue, options, (delivery) => {
          deliveries += 1;
          return handler(delivery);
        }),
    },
    store: {
      ...store,
      record: async (outcomes) => {
        if (outcomes.length === 1 && outcomes[0]?.id === slow?.id) {
          for (let turn = 0; turn < 5; turn++) await aWhile();
          deliveriesBySlow.push(deliveries);
        }
        if (failures === 0 || outcomes.every(({ id }) => id !== awkward?.id)) return store.record(outcomes);
        failures -= 1;
        throw new Error('not now');
      },
    },
  });
  const [first, ...others] = images.map(({ id }) => ({
    ...{ version: 1, id, generation: 1, attempt: 1, kind: 'failed', picture: null },
    error: { code: 'undecodable', message: 'cut off' },
  })) as [Ended, ...Ended[]];
  await broker.publish('results', encode({ ...first, others }));
  while ((await broker.status('results')).messages > 0) await aWhile();
  await recording.cancel();
  assert.equal(failures, 0, 'together and alone');
  assert.deepEqual([deliveriesBySlow, deliveries], [[1], 2], 'comes again once nothing of it is under way');
  assert.deepEqual(ended.sort(), images.map(({ id }) => id).sort());
  for (const { id } of images) assert.equal((await store.events(0, 100, id)).length, 2, 'queued and failed');
  await store.close();
});
