import type { Logger } from '../observability/log.ts';
import { type Broker, PublishError } from './broker.ts';
import { createMemoryQueue, type MemoryQueue } from './memory-queue.ts';
import { topology as declaredTopology, type Queue, type QueueName } from './topology.ts';

/**
 * A broker within this process. What it holds ends with the process: the store makes it durable, for
 * unfinished images are queued again at start. `log` hears of handlers that threw and of messages dropped
 * because their queue has no dead-letter queue. `close` waits for no handler: cancel the subscriptions first.
 */
export const memoryBroker = ({
  topology = declaredTopology,
  log,
}: {
  topology?: readonly Queue[];
  log?: Pick<Logger, 'warn'>;
} = {}): Broker => {
  const queues = new Map<QueueName, MemoryQueue>();
  let closed = false;

  /** Throws {@link PublishError}. */
  const find = (name: QueueName): MemoryQueue => {
    if (closed) throw new PublishError('closed', 'the broker is closed');
    const queue = queues.get(name);
    if (queue === undefined) throw new PublishError('unroutable', `there is no queue ${name}`);
    return queue;
  };

  for (const declared of topology) {
    const { name, deadLetterTo } = declared;
    const queue = createMemoryQueue({
      declared,
      deadLetter: ({ body, headers }, reason) => {
        const target = deadLetterTo && queues.get(deadLetterTo);
        if (target) target.enqueue(body, headers);
        else log?.warn({ queue: name, reason, bytes: body.byteLength }, 'message dropped');
      },
      unanswered: (err, redeliveries) =>
        log?.warn({ queue: name, redeliveries, err }, 'a handler threw; its message is delivered again'),
    });
    queues.set(name, queue);
  }

  return {
    publish: async (name, body, { headers = {} } = {}) => find(name).enqueue(body, headers),
    hint: (name, body) => {
      if (!closed) queues.get(name)?.enqueue(body, {});
    },
    consume: async (name, { prefetch }, handler) => {
      if (!Number.isInteger(prefetch) || prefetch < 1)
        throw new RangeError(`prefetch ${prefetch} is below 1`);
      return find(name).consume(prefetch, handler);
    },
    status: async (name) => find(name).status(),
    statusLagMs: 0,
    isConnected: () => !closed,
    onEmptied: (listener) => {
      // It starts empty, so there is something to tell to everyone who asks. Nobody connects later, so nothing is
      // to be remembered either.
      setImmediate(async () => {
        try {
          if (!closed) await listener();
        } catch (err) {
          log?.warn({ err }, 'refilling the queue failed');
        }
      });
    },
    close: async () => {
      closed = true;
      for (const queue of queues.values()) queue.close();
      queues.clear();
    },
  };
};
