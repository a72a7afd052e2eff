import type { QueueName } from './topology.ts';

export type Headers = Readonly<Record<string, string | number>>;

/** What travels beside a body, for whoever looks at the broker's own pages or traces a message. */
export interface Properties {
  /** The image's ID. */
  readonly correlationId?: string;
  readonly headers?: Headers;
}

export interface Delivery {
  readonly body: Uint8Array;
  /** As they were published, also where the message came by way of another queue; none for a hint. */
  readonly headers: Headers;
  /** Earlier deliveries of this message that ended without an answer (x-delivery-count). */
  readonly redeliveries: number;
}

/**
 * What a handler wants done with its delivery: `ack` removes it, `dead-letter` moves it to the queue's
 * dead-letter queue for good. A handler that throws gives no answer: the message is delivered again and
 * the delivery counts towards the queue's limit.
 */
export type Verdict = 'ack' | 'dead-letter';

export interface Subscription {
  /** Whether messages are delivered to it now; it may be waiting for a connection. */
  isActive(): boolean;
  /** Takes no more messages; resolves when every handler that had begun has answered. */
  cancel(): Promise<void>;
}

export interface QueueStatus {
  /** Waiting messages. */
  readonly ready: number;
  /** Waiting messages, and those that this process was delivered and has not answered. */
  readonly messages: number;
  readonly consumers: number;
}

export interface Broker {
  /**
   * Resolves once the broker has taken the message for good; rejects with {@link PublishError} if it did not, which
   * does not mean that it never will: after `timed-out` the message may still arrive. Waits a bounded time for a
   * connection that is being made.
   */
  publish(queue: QueueName, body: Uint8Array, properties?: Properties): Promise<void>;
  /** Sends without waiting for, or caring about, a confirm. Never throws. */
  hint(queue: QueueName, body: Uint8Array): void;
  /** At most `prefetch` handlers run at once. Goes on by itself after every reconnection. */
  consume(
    queue: QueueName,
    options: { prefetch: number },
    handler: (delivery: Delivery) => Promise<Verdict>,
  ): Promise<Subscription>;
  status(queue: QueueName): Promise<QueueStatus>;
  /** How old (ms) what `status` counts may be. */
  readonly statusLagMs: number;
  /** Whether a message published now can be expected to arrive soon. */
  isConnected(): boolean;
  /**
   * Calls back whenever the queue `images` had to be created: what was in it is gone. At least once for a broker that
   * starts empty. The broker remembers it until the listener's promise resolves: whoever connects next is told too.
   */
  onEmptied(listener: () => Promise<void>): void;
  close(): Promise<void>;
}

/** The broker did not take the message. */
export class PublishError extends Error {
  readonly code: 'unroutable' | 'refused' | 'timed-out' | 'closed';
  constructor(code: PublishError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
