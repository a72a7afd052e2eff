import assert from 'node:assert/strict';
import { test } from 'node:test';
import { v7 as uuidv7 } from 'uuid';
import { memoryBroker } from '../broker/memory.ts';
import { topology } from '../broker/topology.ts';
import { createMetrics } from '../observability/metrics.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { log, newImage, openStore, take } from './jobs.testing.ts';
import { encode, type Report } from './message.ts';
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
