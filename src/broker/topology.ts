/**
 * The queues, declared once for every broker. All durable, all quorum queues on RabbitMQ.
 * Exchange `gantry` (direct, durable); a message's routing key is the name of its queue.
 */
export interface Queue {
  readonly name: QueueName;
  /** A message that waited this long (ms) moves on to `deadLetterTo`. */
  readonly ttlMs?: number;
  /** Where rejected, expired and too often delivered messages go. */
  readonly deadLetterTo?: QueueName;
  /** Deliveries that may end without an answer (a crash) before the message is dead-lettered. */
  readonly deliveryLimit: number;
}

export type QueueName =
  | 'images'
  | 'results'
  | 'images.dead'
  | 'images.retry.1s'
  | 'images.retry.10s'
  | 'images.retry.60s';

export const exchange = 'gantry';

/** Consumers that an image may take down with it, before the broker itself gives up on it. */
export const deliveryLimit = 5;
/**
 * For queues whose messages nobody may give up on. RabbitMQ 4 would drop a message after 20 deliveries where no limit
 * is set; one that says `unlimited` (-1) is known to RabbitMQ 4 only.
 */
export const noDeliveryLimit = 1_000_000_000;

export const topology: readonly Queue[] = [
  { name: 'images', deadLetterTo: 'images.dead', deliveryLimit },
  { name: 'results', deliveryLimit: noDeliveryLimit },
  { name: 'images.dead', deliveryLimit: noDeliveryLimit },
  { name: 'images.retry.1s', ttlMs: 1_000, deadLetterTo: 'images', deliveryLimit: noDeliveryLimit },
  { name: 'images.retry.10s', ttlMs: 10_000, deadLetterTo: 'images', deliveryLimit: noDeliveryLimit },
  { name: 'images.retry.60s', ttlMs: 60_000, deadLetterTo: 'images', deliveryLimit: noDeliveryLimit },
];

/** The queue in which the try after attempt number `attempt` (from 1) waits: 1 s, 10 s, then 60 s. */
export const retryQueue = (attempt: number): QueueName =>
  attempt <= 1 ? 'images.retry.1s' : attempt === 2 ? 'images.retry.10s' : 'images.retry.60s';
