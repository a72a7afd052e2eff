import type { Broker, Headers, QueueStatus, Subscription } from './broker.ts';
import { createFifo } from './fifo.ts';
import type { Queue } from './topology.ts';

type Handler = Parameters<Broker['consume']>[2];
/** Why a queue gave a message up. */
type Reason = 'rejected' | 'expired' | 'delivery-limit';

export interface MemoryQueue {
  enqueue(body: Uint8Array, headers: Headers): void;
  consume(prefetch: number, handler: Handler): Subscription;
  status(): QueueStatus;
  /** Forgets what waits; nothing is delivered any more. */
  close(): void;
}

interface MemoryQueueContext {
  readonly declared: Queue;
  /** Takes what this queue gives up. */
  deadLetter(message: Pick<Message, 'body' | 'headers'>, reason: Reason): void;
  /** Told what a handler threw. */
  unanswered(error: unknown, redeliveries: number): void;
}

interface Message {
  readonly body: Uint8Array;
  readonly headers: Headers;
  readonly redeliveries: number;
  /** On the clock of `performance.now()`. */
  readonly expiresAt: number;
}

interface Consumer {
  readonly prefetch: number;
  readonly handler: Handler;
  running: number;
  readonly idle: PromiseWithResolvers<void>;
  cancelled: boolean;
}

/** A handler that fails at once must not spin; one that waits for an outage to end must not wait long after it. */
const backoffMs = (redeliveries: number): number => Math.min(1_000, 25 * 2 ** redeliveries);

/** One queue with its consumers, behaving as a quorum queue does: what was given back is delivered first. */
export const createMemoryQueue = ({ declared, deadLetter, unanswered }: MemoryQueueContext): MemoryQueue => {
  const { ttlMs = Number.POSITIVE_INFINITY, deliveryLimit } = declared;
  const returned = createFifo<Message>();
  const waiting = createFifo<Message>();
  let consumers: readonly Consumer[] = [];
  let turn = 0;
  let messages = 0;
  let expiry: NodeJS.Timeout | undefined;
  let scheduled = false;
  let closed = false;

  const giveUp = (message: Message, reason: Reason): void => {
    messages -= 1;
    deadLetter(message, reason);
  };

  const expire = (): void => {
    clearTimeout(expiry);
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const line of [returned, waiting]) {
      let head = line.peek();
      for (; head !== undefined && head.expiresAt <= now; head = line.peek()) {
        line.shift();
        giveUp(head, 'expired');
      }
      next = Math.min(next, head?.expiresAt ?? next);
    }
    if (next < Number.POSITIVE_INFINITY) expiry = setTimeout(expire, Math.ceil(next - now)).unref();
  };

  const nextFree = (): Consumer | undefined => {
    for (let step = 0; step < consumers.length; step += 1) {
      const index = (turn + step) % consumers.length;
      const consumer = consumers[index];
      if (consumer !== undefined && consumer.running < consumer.prefetch) {
        turn = index + 1;
        return consumer;
      }
    }
    return undefined;
  };

  const giveBack = (message: Message): void => {
    const again = { ...message, redeliveries: message.redeliveries + 1 };
    if (again.redeliveries > deliveryLimit) {
      giveUp(again, 'delivery-limit');
      return;
    }
    const comeBack = (): void => {
      if (closed) return;
      returned.push(again);
      schedule();
    };
    setTimeout(comeBack, backoffMs(message.redeliveries)).unref();
  };

  const deliver = async (consumer: Consumer, message: Message): Promise<void> => {
    const { body, headers, redeliveries } = message;
    consumer.running += 1;
    const answer = await consumer.handler({ body, headers, redeliveries }).then(
      (verdict) => ({ verdict }),
      (error: unknown) => ({ error }),
    );
    consumer.running -= 1;
    if (consumer.cancelled && consumer.running === 0) consumer.idle.resolve();
    if (closed) return;
    if ('error' in answer) {
      unanswered(answer.error, redeliveries);
      giveBack(message);
    } else if (answer.verdict === 'dead-letter') giveUp(message, 'rejected');
    else messages -= 1;
    schedule();
  };

  const dispatch = (): void => {
    scheduled = false;
    if (closed) return;
    expire();
    while (returned.size + waiting.size > 0) {
      const consumer = nextFree();
      const message = consumer && (returned.shift() ?? waiting.shift());
      if (consumer === undefined || message === undefined) return;
      void deliver(consumer, message);
    }
  };

  // setImmediate, not a microtask: a long queue with quick handlers must leave the event loop its turns.
  const schedule = (): void => {
    if (!scheduled) setImmediate(dispatch);
    scheduled = true;
  };

  const cancel = (consumer: Consumer): Promise<void> => {
    consumers = consumers.filter((other) => other !== consumer);
    consumer.cancelled = true;
    if (consumer.running === 0) consumer.idle.resolve();
    return consumer.idle.promise;
  };

  return {
    enqueue: (body, headers) => {
      const expiresAt = performance.now() + ttlMs;
      // A copy: the caller may use its buffer again.
      waiting.push({ body: Buffer.from(body), headers, redeliveries: 0, expiresAt });
      messages += 1;
      schedule();
    },
    consume: (prefetch, handler) => {
      // async, so that a handler that throws before it returns a promise counts as one that rejects.
      const guarded: Handler = async (delivery) => handler(delivery);
      const idle = Promise.withResolvers<void>();
      const consumer: Consumer = { prefetch, handler: guarded, running: 0, idle, cancelled: false };
      consumers = [...consumers, consumer];
      schedule();
      return { isActive: () => !closed && !consumer.cancelled, cancel: () => cancel(consumer) };
    },
    status: () => ({ ready: returned.size + waiting.size, messages, consumers: consumers.length }),
    close: () => {
      closed = true;
      clearTimeout(expiry);
      consumers = [];
    },
  };
};
