import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const durations = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800];

/** The series of one process, in a registry of their own. Labels are bounded: never an ID, never a client's text. */
export const createMetrics = () => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    uploads: new Counter({
      name: 'gantry_uploads_total',
      help: 'Files offered for upload, by outcome: accepted, or the code of the refusal.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    uploadedBytes: new Counter({
      name: 'gantry_upload_bytes_total',
      help: 'Bytes of the files accepted.',
      registers,
    }),
    acceptSeconds: new Histogram({
      name: 'gantry_accept_duration_seconds',
      help: 'From the first byte of an upload request to its answer.',
      buckets: durations,
      registers,
    }),
    stageSeconds: new Histogram({
      name: 'gantry_stage_duration_seconds',
      help: 'Duration of a stage of an image: wait, fetch, decode, infer.',
      labelNames: ['stage'] as const,
      buckets: durations,
      registers,
    }),
    endToEndSeconds: new Histogram({
      name: 'gantry_end_to_end_duration_seconds',
      help: 'From the acceptance of an image to its recorded outcome.',
      buckets: durations,
      registers,
    }),
    outcomes: new Counter({
      name: 'gantry_outcomes_total',
      help: 'Images that ended, by state and label.',
      labelNames: ['state', 'label'] as const,
      registers,
    }),
    attemptsFailed: new Counter({
      name: 'gantry_attempts_failed_total',
      help: 'Attempts that failed, by reason.',
      labelNames: ['reason'] as const,
      registers,
    }),
    unfinished: new Gauge({
      name: 'gantry_images_unfinished',
      help: 'Images neither succeeded, failed nor dead.',
      registers,
    }),
    oldestUnfinishedSeconds: new Gauge({
      name: 'gantry_oldest_unfinished_image_seconds',
      help: 'Age of the oldest unfinished image; 0 if there is none.',
      registers,
    }),
    outbox: new Gauge({
      name: 'gantry_outbox_rows',
      help: 'Jobs that the broker has not confirmed yet.',
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
      help: 'Resident memory of each inference process.',
      labelNames: ['worker'] as const,
      registers,
    }),
    batchSize: new Histogram({
      name: 'gantry_batch_size',
      help: 'Images that went through the model together.',
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    }),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
