import { Counter, Gauge, Histogram } from 'prom-client';
import type { ClassifierFault } from '../classifier/classifier.ts';
import type { RestartReason } from '../consumer/worker-slot.ts';
import { fromZero } from './from-zero.ts';
import type { Metrics } from './metrics.ts';

/** How an attempt may end at a consumer. A consumer that stops leaves its attempts to others. */
const outcomes = [
  ...['succeeded', 'refused'],
  ...Object.keys({
    'worker-crashed': 0,
    'deadline-exceeded': 0,
    'inference-failed': 0,
    'blob-missing': 0,
    'storage-unavailable': 0,
  } satisfies Record<Exclude<ClassifierFault['code'], 'stopped'>, 0>),
];
const restartReasons = Object.keys({ crash: 0, deadline: 0, memory: 0 } satisfies Record<RestartReason, 0>);

/** The series of whoever takes jobs, added to those that every process has. */
export const consumerMetrics = (metrics: Metrics) => {
  const registers = [metrics.registry];
  const workerRestarts = new Counter({
    name: 'gantry_worker_restarts_total',
    help: 'Inference processes started anew, by reason: crash, deadline (a batch took too long), memory (it grew too large).',
    labelNames: ['reason'] as const,
    registers,
  });
  fromZero(workerRestarts, 'reason', restartReasons);
  fromZero(metrics.attempts, 'outcome', outcomes);
  fromZero(metrics.stageSeconds, 'stage', ['queue', 'fetch', 'decode', 'infer']);
  return {
    ...metrics,
    workerRestarts,
    modelInfo: new Gauge({
      name: 'gantry_model_info',
      help: 'Always 1; the labels say which model images are processed with.',
      labelNames: ['name', 'version', 'digest'] as const,
      registers,
    }),
    batchSize: new Histogram({
      name: 'gantry_batch_size',
      help: 'Images that went through the model together.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    workers: new Gauge({
      name: 'gantry_workers',
      help: 'Inference processes, by state: idle, busy, down (ended, and not yet started anew).',
      labelNames: ['state'] as const,
      registers,
    }),
    workerMemory: new Gauge({
      name: 'gantry_worker_resident_memory_bytes',
      help: 'Resident memory of each inference process after its last batch.',
      labelNames: ['worker'] as const,
      registers,
    }),
  };
};

export type ConsumerMetrics = ReturnType<typeof consumerMetrics>;
