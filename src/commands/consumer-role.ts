import type { Broker, Subscription } from '../broker/broker.ts';
import type { Config } from '../config.ts';
import { startConsumer } from '../consumer/consumer.ts';
import { type PoolEvent, startWorkerPool, type WorkerPool } from '../consumer/worker-pool.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { imageSource } from './open-blobs.ts';

const countPoolEvents =
  ({ batchSize, workerRestarts }: Metrics) =>
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
  { metrics, log }: { metrics: Metrics; log: Logger },
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
  // What the workers hold plus the next batch: a neighbour of a crash loses no more than it must.
  const prefetch = (config.workers + 1) * config.maxBatch;
  const { maxAttempts } = config;
  const { classifier } = pool;
  return {
    pool,
    consume: (broker) => startConsumer({ broker, classifier, metrics, log, maxAttempts }, prefetch),
    observe() {
      for (const [worker, { rssBytes }] of pool.stats().entries())
        metrics.workerMemory.set({ worker }, rssBytes);
    },
  };
};
