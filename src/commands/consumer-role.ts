import type { Broker, Subscription } from '../broker/broker.ts';
import type { Config } from '../config.ts';
import { startConsumer } from '../consumer/consumer.ts';
import { type PoolEvent, startWorkerPool, type WorkerPool } from '../consumer/worker-pool.ts';
import type { ConsumerMetrics } from '../observability/consumer-metrics.ts';
import type { Logger } from '../observability/log.ts';
import { imageSource } from './open-blobs.ts';

const countPoolEvents =
  ({ batchSize, workerRestarts }: ConsumerMetrics) =>
  (event: PoolEvent): void => {
    if (event.kind === 'batch-started') batchSize.observe(event.pictures);
    if (event.kind === 'restarted') workerRestarts.inc({ reason: event.reason });
  };

export interface ConsumerRole {
  readonly pool: WorkerPool;
  /** Begins to take jobs. */
  consume(broker: Broker): Promise<Subscription>;
  /** Brings the gauges of the workers up to date. */
  observe(): void;
}

/** The worker processes, ready. Throws ManifestError and WorkerStartError. */
export const startConsumerRole = async (
  config: Config,
  { metrics, log }: { metrics: ConsumerMetrics; log: Logger },
): Promise<ConsumerRole> => {
  const pool = await startWorkerPool({
    workers: config.workers,
    modelDir: config.model,
    images: await imageSource(config),
    maxBatch: config.maxBatch,
    maxWaitMs: config.maxWaitMs,
    deadlineMs: config.jobDeadline,
    memoryLimitBytes: config.workerMemory,
    maxPixels: config.maxPixels,
    log,
    onEvent: countPoolEvents(metrics),
  });
  const { name, version, digest } = pool.model;
  metrics.modelInfo.set({ name, version, digest }, 1);
  // What the workers hold plus the next batch: a neighbour of a crash loses no more than it must.
  const prefetch = (config.workers + 1) * config.maxBatch;
  const { maxAttempts } = config;
  const { classifier } = pool;
  return {
    pool,
    consume: (broker) => startConsumer({ broker, classifier, metrics, log, maxAttempts }, prefetch),
    observe() {
      const states = { idle: 0, busy: 0, down: 0 };
      for (const [worker, { rssBytes, state }] of pool.stats().entries()) {
        metrics.workerMemory.set({ worker }, rssBytes);
        states[state] += 1;
      }
      for (const [state, count] of Object.entries(states)) metrics.workers.set({ state }, count);
    },
  };
};
