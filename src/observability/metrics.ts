import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { PublishError } from '../broker/broker.ts';
import { type QueueName, topology } from '../broker/topology.ts';
import { version } from '../version.ts';
import { fromZero } from './from-zero.ts';

/** Seconds: from a message in this process to an image behind a backlog of hours. */
export const durations = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
  ...[1, 2, 5, 10, 30, 60, 300, 1800, 7200],
];

const publishFaults = Object.keys({
  unroutable: 0,
  refused: 0,
  'timed-out': 0,
  closed: 0,
} satisfies Record<PublishError['code'], 0>);

/**
 * The series that every process has, in a registry of their own; what only a web server or a consumer knows is added
 * by theirs. Labels are bounded: never an ID, never a client's text.
 */
export const createMetrics = (role: 'serve' | 'web' | 'consumer') => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'gantry_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'role'],
    registers,
  }).set({ version, role }, 1);
  const retries = new Counter({
    name: 'gantry_retries_total',
    help: 'Jobs published for another attempt, by the queue where they wait for it.',
    labelNames: ['queue'] as const,
    registers,
  });
  const publishFailures = new Counter({
    name: 'gantry_publish_failures_total',
    help: 'Messages that the broker did not take, by reason: unroutable, refused, timed-out, closed.',
    labelNames: ['queue', 'reason'] as const,
    registers,
  });
  for (const { name: queue } of topology)
    for (const reason of publishFaults) publishFailures.inc({ queue, reason }, 0);
  fromZero(retries, 'queue', [
    'images.retry.1s',
    'images.retry.10s',
    'images.retry.60s',
  ] satisfies QueueName[]);
  return {
    registry,
    retries,
    publishFailures,
    stageSeconds: new Histogram({
      name: 'gantry_stage_duration_seconds',
      help: 'Duration of a stage of an image. accept: first byte of the upload to its answer; outbox: acceptance to the broker’s confirm; queue: published to taken, the pause before a retry included; fetch, decode, infer (of the whole batch): in the worker; record: outcome taken to its transaction’s end.',
      labelNames: ['stage'] as const,
      buckets: durations,
      registers,
    }),
    attempts: new Counter({
      name: 'gantry_attempts_total',
      help: 'Attempts to process an image, by outcome: succeeded, refused (the picture cannot be used), or the code of the fault.',
      labelNames: ['outcome'] as const,
      registers,
    }),
    brokerConnected: new Gauge({
      name: 'gantry_broker_connected',
      help: '1 if the broker takes messages from this process now, else 0.',
      registers,
    }),
    subscriptionActive: new Gauge({
      name: 'gantry_subscription_active',
      help: '1 if this process is subscribed to the queue, 0 if it is trying to.',
      labelNames: ['queue'] as const,
      registers,
    }),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
