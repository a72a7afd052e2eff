import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** The series of whoever takes jobs, added to those that every process has. */
export const consumerMetrics = (metrics: Metrics) => {
  const registers = [metrics.registry];
  return {
    ...metrics,
    modelInfo: new Gauge({
      name: 'gantry_model_info',
      help: 'Always 1; the labels say which model images are processed with.',
      labelNames: ['name', 'version', 'digest'] as const,
      registers,
    }),
    batchSize: new Histogram({
      name: 'gantry_batch_size',
      help: 'Images that went through the model together.',
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    }),
    workers: new Gauge({
      name: 'gantry_workers',
      help: 'Inference processes, by state: idle, busy, down (ended, and not yet started anew).',
      labelNames: ['state'] as const,
      registers,
    }),
    workerRestarts: new Counter({
      name: 'gantry_worker_restarts_total',
      help: 'Inference processes started anew, by reason.',
      labelNames: ['reason'] as const,
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
