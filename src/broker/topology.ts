/**
 * The queues, declared once for every broker. All durable, all quorum queues on RabbitMQ.
 * Exchange `gantry` (direct, routing key = queue name) with the alternate exchange `gantry.unroutable`.
 */
export interface Queue {
  readonly name: QueueName;
  /** A message that waited this long (ms) moves on to `deadLetterTo`. */
  readonly ttlMs?: number;
  /** Where rejected, expired and too often delivered messages go. */
  readonly deadLetterTo?: QueueName;
  /** Deliveries that may end without an answer (a crash) before the message is dead-lettered. */
  readonly deliveryLimit?: number;
}

export type QueueName =
  | 'images'
  | 'results'
  | 'images.dead'
  | 'images.retry.1s'
  | 'images.retry.10s'
  | 'images.retry.60s';

/** Consumers that an image may take down with it, before the broker itself gives up on it. */
export const deliveryLimit = 5;

export const topology: readonly Queue[] = [
  { name: 'images', deadLetterTo: 'images.dead', deliveryLimit },
  { name: 'results' },
  { name: 'images.dead' },
  { name: 'images.retry.1s', ttlMs: 1_000, deadLetterTo: 'images' },
  { name: 'images.retry.10s', ttlMs: 10_000, deadLetterTo: 'images' },
  { name: 'images.retry.60s', ttlMs: 60_000, deadLetterTo: 'images' },
];

/** Every queue in which a job may wait. */
export const jobQueues: readonly QueueName[] = topology
  .map((queue) => queue.name)
  .filter((name) => name !== 'results');

/** The queue in which the try after attempt number `attempt` (from 1) waits: 1 s, 10 s, then 60 s. */
export const retryQueue = (attempt: number): QueueName =>
  attempt <= 1 ? 'images.retry.1s' : attempt === 2 ? 'images.retry.10s' : 'images.retry.60s';
