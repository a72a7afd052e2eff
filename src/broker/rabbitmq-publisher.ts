import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import type { Logger } from '../observability/log.ts';
import { type Properties, PublishError } from './broker.ts';
import { messageOf } from './rabbitmq-dial.ts';
import { exchange, type QueueName } from './topology.ts';

export interface PublisherOptions {
  /** How long a publish waits for its confirm, a connection to be made included. */
  readonly timeoutMs: number;
  readonly log: Pick<Logger, 'warn'>;
  /** The connection serves no more: it is to be made anew. */
  drop(model: ChannelModel, reason: string): void;
  /** There was no queue of that name. */
  unroutable(queue: QueueName): void;
}

export interface Publisher {
  publish(queue: QueueName, body: Uint8Array, properties?: Properties): Promise<void>;
  hint(queue: QueueName, body: Uint8Array): void;
  /** Whether what is published now is sent at once. */
  isReady(): boolean;
  /** Publishes through this connection from now on; first, in order, what no earlier one has seen confirmed. */
  prepare(model: ChannelModel): Promise<void>;
  lost(): void;
  /** Takes no more; gives what is unconfirmed 2 s, then rejects it. */
  close(): Promise<void>;
}

interface Pending {
  readonly queue: QueueName;
  readonly body: Buffer;
  readonly messageId: string;
  readonly properties: Properties;
  sentOn: ConfirmChannel | undefined;
  /** On the clock of `performance.now()`. */
  sentAt: number;
  settle(error?: PublishError): void;
}

const contentType = 'application/json';
const closeLimitMs = 2_000;

/** Publishes with confirms, on whatever connection there is. */
export const createPublisher = ({ timeoutMs, log, drop, unroutable }: PublisherOptions): Publisher => {
  /** In the order of their publishing. */
  const pending = new Map<string, Pending>();
  const drained = Promise.withResolvers<void>();
  let model: ChannelModel | undefined;
  let channel: ConfirmChannel | undefined;
  let hints: Channel | undefined;
  let blocked = false;
  /** When the present connection last showed that it confirms. */
  let answeredAt = 0;
  let closing = false;

  const isReady = (): boolean => channel !== undefined && !blocked;

  const confirmed = (message: Pending, error: Error | null): void => {
    // amqplib tells a refusal from the end of a channel by nothing but this. After an end it is sent again.
    if (error !== null && error.message !== 'message nacked') return;
    answeredAt = performance.now();
    if (error === null) message.settle();
    else message.settle(new PublishError('refused', `queue ${message.queue} refuses messages`));
  };

  const send = (message: Pending, through: ConfirmChannel): void => {
    const { queue, body, messageId, properties } = message;
    const timestamp = Math.floor(Date.now() / 1000);
    const options = { mandatory: true, persistent: true, contentType, messageId, timestamp, ...properties };
    message.sentOn = through;
    message.sentAt = performance.now();
    try {
      through.publish(exchange, queue, body, options, (error: Error | null) => confirmed(message, error));
    } catch (cause) {
      // A connection that is ending: the next one sends it. Else it is the message, and will not get better.
      if (channel !== through || (cause as Error).name === 'IllegalOperationError') return;
      message.settle(new PublishError('refused', 'the message cannot be sent', { cause }));
    }
  };

  const flush = (): void => {
    if (channel === undefined || blocked) return;
    for (const message of pending.values()) if (message.sentOn !== channel) send(message, channel);
  };

  const timeOut = (message: Pending): void => {
    message.settle(new PublishError('timed-out', `no confirm from the broker within ${timeoutMs} ms`));
    if (model === undefined || channel === undefined || blocked || message.sentOn !== channel) return;
    // One that confirms other messages is alive, only slow: sending everything again would make it slower.
    if (answeredAt <= message.sentAt) drop(model, `no confirm within ${timeoutMs} ms`);
  };

  const publish = (queue: QueueName, body: Uint8Array, properties: Properties = {}): Promise<void> => {
    if (closing) return Promise.reject(new PublishError('closed', 'the broker is closed'));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const messageId = randomUUID();
    const message: Pending = {
      queue,
      // A copy: it may be sent later, and the caller may use its buffer again.
      body: Buffer.from(body),
      messageId,
      properties,
      sentOn: undefined,
      sentAt: 0,
      settle: (error) => {
        clearTimeout(timer);
        pending.delete(messageId);
        if (error === undefined) resolve();
        else reject(error);
        if (closing && pending.size === 0) drained.resolve();
      },
    };
    const timer = setTimeout(() => timeOut(message), timeoutMs);
    pending.set(messageId, message);
    if (channel !== undefined && !blocked) send(message, channel);
    return promise;
  };

  const forget = (): void => {
    model = undefined;
    channel = undefined;
    hints = undefined;
    blocked = false;
  };

  /** A channel whose end is the end of the connection: there, all is made anew. */
  const watched = <C extends Channel>(opened: C, from: ChannelModel): C => {
    let reason = 'channel closed';
    opened.on('error', (error: unknown) => {
      reason = messageOf(error);
    });
    opened.on('close', () => {
      if (model === from) forget();
      // Channels end before their connection does; where that is the reason, there is nothing left to drop.
      setImmediate(drop, from, reason);
    });
    return opened;
  };

  const prepare = async (from: ChannelModel): Promise<void> => {
    from.on('blocked', (reason: string) => {
      blocked = true;
      log.warn({ reason }, 'the broker blocks publishers');
    });
    from.on('unblocked', () => {
      blocked = false;
      answeredAt = performance.now();
      log.warn('the broker takes messages again');
      flush();
    });
    const confirming = watched(await from.createConfirmChannel(), from);
    const plain = watched(await from.createChannel(), from);
    confirming.on('return', ({ properties, fields }) => {
      const queue = fields.routingKey as QueueName;
      // It comes before the confirm, which then finds the message settled.
      pending.get(properties.messageId)?.settle(new PublishError('unroutable', `there is no queue ${queue}`));
      unroutable(queue);
    });
    model = from;
    channel = confirming;
    hints = plain;
    answeredAt = performance.now();
    flush();
  };

  const close = async (): Promise<void> => {
    closing = true;
    if (pending.size > 0) {
      const timer = setTimeout(drained.resolve, closeLimitMs);
      await drained.promise;
      clearTimeout(timer);
    }
    for (const { settle } of [...pending.values()]) {
      settle(new PublishError('closed', 'the broker was closed before it confirmed the message'));
    }
  };

  return {
    publish,
    hint: (queue, body) => {
      if (hints === undefined || blocked) return;
      try {
        hints.publish(exchange, queue, Buffer.from(body), { contentType });
      } catch {
        // A connection that is ending; a hint may be lost.
      }
    },
    isReady,
    prepare,
    lost: forget,
    close,
  };
};
