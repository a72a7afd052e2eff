import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { rabbitMqMissing } from '../../test/services/rabbitmq.ts';
import { startProxy } from '../../test/services/tcp-proxy.ts';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import { eventually, text } from '../broker/broker.probe.ts';
import type { Broker } from '../broker/broker.ts';
import { memoryBroker } from '../broker/memory.ts';
import { benchForFile, connected, openBroker } from '../broker/rabbitmq.testing.ts';
import { loadConfig } from '../config.ts';
import { accepted } from '../store/contract/samples.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { createSystem } from './system.ts';

const bench = benchForFile(async () => ({}));

const open = async (t: TestContext, broker: Broker, environment: NodeJS.ProcessEnv = {}) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-system-'));
  const store = await openSqliteStore(join(dir, 'gantry.db'));
  t.after(async () => {
    await store.close();
    await rm(dir, { recursive: true });
  });
  const blobs = filesystemBlobs(dir);
  const config = loadConfig(environment);
  const parts = {
    config,
    store,
    blobs,
    broker,
    models: [],
    version: '1.2.3',
    role: 'web',
    keys: false,
  } as const;
  // A new one for each look, as answers are kept for a second.
  return { store, look: () => createSystem(parts)() };
};
const names = (queues: readonly { name: string }[] | null) => queues?.map(({ name }) => name);

test('what is embedded, and what waits in it', async (t) => {
  const broker = memoryBroker();
  const { store, look } = await open(t, broker);
  await broker.publish('images', Buffer.from('1'));
  await accepted(store);
  const found = await look();
  assert.deepEqual([found.version, found.role, found.access], ['1.2.3', 'web', { keys: false }]);
  assert.deepEqual(
    [found.store.kind, found.blobs.kind, found.broker.kind],
    ['sqlite', 'filesystem', 'memory'],
  );
  assert.ok(Number(found.blobs.freeBytes) > 1e6);
  assert.equal(found.broker.queues?.length, 6);
  assert.deepEqual(found.broker.queues?.[0], { name: 'images', ready: 1, consumers: 0 });
  assert.equal(found.outbox.rows, 1);
  assert.ok(Date.parse(found.outbox.oldestAt ?? '') <= Date.now());
  assert.ok(Date.parse(found.startedAt) < Date.now());
  assert.ok(found.limits.acceptedTypes.includes('image/avif'));
});

test('who asks in the same second shares the answer', async (t) => {
  const broker = memoryBroker();
  let asked = 0;
  const status: Broker['status'] = (queue) => {
    asked += 1;
    return broker.status(queue);
  };
  const { store } = await open(t, broker);
  const parts = { config: loadConfig({}), store, blobs: filesystemBlobs(tmpdir()), models: [] };
  const system = createSystem({
    ...parts,
    broker: { ...broker, status },
    version: '0',
    role: 'web',
    keys: false,
  });
  await Promise.all([system(), system(), system()]);
  assert.equal(asked, 6);
});

test('store and broker are away: the rest is told', async (t) => {
  const broker = memoryBroker();
  const { store, look } = await open(t, broker);
  await Promise.all([store.close(), broker.close()]);
  const found = await look();
  assert.deepEqual(found.broker, { kind: 'memory', connected: false, queues: null });
  assert.deepEqual(found.outbox, { rows: null, oldestAt: null });
  assert.ok(Number(found.blobs.freeBytes) > 1e6);
});

test('RabbitMQ: a queue that is missing disturbs nobody, one that stalls or is gone is unknown', {
  skip: rabbitMqMissing(),
}, async (t) => {
  const rabbit = await bench.server();
  const host = await bench.virtualHost();
  const proxy = await startProxy({ host: '127.0.0.1', port: rabbit.port });
  t.after(proxy.close);
  const url = new URL(host.url);
  url.port = String(proxy.port);
  const { broker, settled } = openBroker(t, url.href);
  await connected(broker);
  await settled();
  const environment = { GANTRY_AMQP_URL: 'amqp://user:secret@rabbit' };
  const { look } = await open(t, broker, environment);

  const taken: string[] = [];
  await broker.consume('results', { prefetch: 1 }, async (delivery) => {
    taken.push(text(delivery));
    return 'ack';
  });
  await broker.publish('images', Buffer.from('1'));
  await eventually('the counts', async () => {
    const [images, results] = (await look()).broker.queues ?? [];
    return images?.ready === 1 && results?.consumers === 1;
  });

  await rabbit.api('DELETE', `queues/${host.name}/images.retry.10s`);
  const without = (await look()).broker;
  assert.equal(without.connected, true);
  assert.deepEqual(names(without.queues), [
    ...['images', 'results', 'images.dead', 'images.retry.1s', 'images.retry.60s'],
  ]);
  await broker.publish('results', Buffer.from('2'));
  await eventually('a delivery', async () => taken.includes('2'));
  await eventually('the queue again', async () => (await look()).broker.queues?.length === 6);

  proxy.stall();
  const stalled = await look();
  assert.deepEqual(stalled.broker, { kind: 'rabbitmq', connected: true, queues: null });
  proxy.resume();
  proxy.refuse(true);
  proxy.cut();
  await eventually('the loss', async () => !broker.isConnected());
  const gone = await look();
  assert.deepEqual(gone.broker, { kind: 'rabbitmq', connected: false, queues: null });
  assert.doesNotMatch(JSON.stringify(gone), /secret/);
});
