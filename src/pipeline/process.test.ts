import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { pino } from 'pino';
import type { Broker } from '../broker/broker.ts';
import { memoryBroker } from '../broker/memory.ts';
import { type QueueName, retryQueue, topology } from '../broker/topology.ts';
import { type Classified, type Classifier, ClassifierFault, type Refused } from '../classifier/classifier.ts';
import { createMetrics } from '../observability/metrics.ts';
import { encode, type Job, parseDeadJob, parseReport, type Report } from './message.ts';
import { createProcess } from './process.ts';

const job: Job = {
  version: 1,
  id: '0199aaaa-0000-7000-8000-000000000001',
  blob: '2026/11/23/x.png',
  contentType: 'image/png',
  bytes: 3,
  pipeline: 'pets',
  generation: 1,
  attempt: 1,
  submittedAt: new Date().toISOString(),
};
const classified: Classified = {
  kind: 'classified',
  result: {
    label: 'cat',
    confidence: 0.9,
    scores: { cat: 0.9, dog: 0.1 },
    top: [],
    model: { name: 'pets', version: '1', digest: 'd' },
  },
  begunAt: { fetch: 0, infer: 0 },
  timings: { fetchMs: 1, decodeMs: 2, inferMs: 3 },
  picture: { width: 4, height: 5, thumbnail: '' },
  bytes: 3,
};

/** The broker's own queues, with retries that do not keep a test waiting. */
const quickBroker = (): Broker =>
  memoryBroker({
    topology: topology.map((queue) => (queue.ttlMs === undefined ? queue : { ...queue, ttlMs: 1 })),
  });

/** Consumes `images` with a classifier that does what the test says, and gathers what arrives elsewhere. */
const consume = async (
  broker: Broker,
  classify: (job: Job) => Promise<Classified | Refused>,
  maxAttempts = 5,
) => {
  const arrivals = new EventEmitter();
  const gather = async (queue: QueueName): Promise<void> => {
    await broker.consume(queue, { prefetch: 1 }, async ({ body }) => {
      arrivals.emit(queue, body);
      return 'ack';
    });
  };
  const final = new Promise<Exclude<Report, { kind: 'processing' }>>((resolve) => {
    arrivals.on('results', (body: Uint8Array) => {
      const report = parseReport(body);
      if (report.kind !== 'processing') resolve(report);
    });
  });
  const dead = once(arrivals, 'images.dead') as Promise<[Uint8Array]>;
  await gather('results');
  await gather('images.dead');
  const classifier: Classifier = { classify };
  const log = pino({ level: 'silent' });
  const process = createProcess({ broker, classifier, metrics: createMetrics('consumer'), log, maxAttempts });
  await broker.consume('images', { prefetch: 4 }, process);
  return { final, dead };
};

test('a classified image is reported with its waiting time and attempt, then acknowledged', async () => {
  const broker = quickBroker();
  const { final } = await consume(broker, async () => classified);
  await broker.publish('images', encode({ ...job, submittedAt: new Date(Date.now() - 5000).toISOString() }));
  const report = await final;
  assert.ok(report.kind === 'succeeded');
  assert.equal(report.result.attempts, 1);
  assert.ok(report.result.timings.waitMs >= 5000);
  assert.equal(report.result.timings.decodeMs, 2);
  await broker.close();
});

test('a picture that cannot be used fails at its first attempt', async () => {
  const broker = quickBroker();
  const refused: Refused = { kind: 'refused', error: { code: 'undecodable', message: 'cut off' } };
  const { final } = await consume(broker, async () => refused);
  await broker.publish('images', encode(job));
  const report = await final;
  assert.ok(report.kind === 'failed');
  assert.deepEqual(report.error, refused.error);
  await broker.close();
});

test('a fault is tried again, and reported with the attempt that succeeded', async () => {
  const broker = quickBroker();
  const attempts: number[] = [];
  const { final } = await consume(broker, async ({ attempt }) => {
    attempts.push(attempt);
    if (attempt < 4) throw new ClassifierFault('worker-crashed', 'SIGSEGV');
    return classified;
  });
  await broker.publish('images', encode(job));
  const report = await final;
  assert.deepEqual(attempts, [1, 2, 3, 4]);
  assert.equal(report.attempt, 4);
  await broker.close();
});

test('after its last attempt it goes to images.dead with the last reason', async () => {
  const broker = quickBroker();
  let attempts = 0;
  const { dead } = await consume(broker, async () => {
    attempts += 1;
    throw new ClassifierFault('deadline-exceeded', `attempt ${attempts}`);
  });
  await broker.publish('images', encode(job));
  const [body] = await dead;
  const letter = parseDeadJob(body);
  assert.equal(attempts, 5);
  assert.equal(letter.attempt, 5);
  assert.deepEqual(letter.error, { code: 'deadline-exceeded', message: 'attempt 5' });
  await broker.close();
});

test('an outage of the storage costs no attempt', async () => {
  const broker = quickBroker();
  const attempts: number[] = [];
  const { final } = await consume(
    broker,
    async ({ attempt }) => {
      attempts.push(attempt);
      if (attempts.length < 10) throw new ClassifierFault('storage-unavailable', 'EIO');
      return classified;
    },
    2,
  );
  await broker.publish('images', encode(job));
  assert.equal((await final).attempt, 1);
  assert.deepEqual(attempts, Array(10).fill(1));
  await broker.close();
});

test('a message that is no job goes to images.dead and hinders nobody', async () => {
  const broker = quickBroker();
  const { final, dead } = await consume(broker, async () => classified);
  await broker.publish('images', Buffer.from('{"version":1}'));
  await broker.publish('images', encode(job));
  assert.equal(Buffer.from((await dead)[0]).toString(), '{"version":1}');
  assert.equal((await final).kind, 'succeeded');
  await broker.close();
});

test('1 s, 10 s, then 60 s between attempts', () => {
  assert.deepEqual([1, 2, 3, 4].map(retryQueue), [
    'images.retry.1s',
    'images.retry.10s',
    'images.retry.60s',
    'images.retry.60s',
  ]);
});
