import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from './cluster.ts';

/** RabbitMQ's management API, reached as the guide says: by a port-forward. */
export interface Management extends AsyncDisposable {
  /** Messages in each queue, those that consumers hold among them. */
  queues(): Promise<Map<string, number>>;
  /** Bodies of the first messages that wait in a queue; they stay in it. Each look counts as a delivery. */
  peek(queue: string, count: number): Promise<string[]>;
  /** Polls until a queue holds so many; throws after `limitMs`. */
  holds(queue: string, count: number, limitMs: number): Promise<number>;
}

const pollMs = 500;

interface Secret {
  readonly data: Readonly<Record<string, string>>;
}

const credentials = async ({ get }: Namespace): Promise<string> => {
  const { data } = await get<Secret>('secret', 'rabbitmq-credentials');
  const [user = '', password = ''] = ['username', 'password'].map((key) =>
    Buffer.from(data[key] ?? '', 'base64').toString(),
  );
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
};

/** Opens the way to the management API of the namespace's RabbitMQ. */
export const openManagement = async (namespace: Namespace): Promise<Management> => {
  const authorization = await credentials(namespace);
  const forward = await namespace.forward('service/rabbitmq', 15672);
  const call = async <T>(path: string, body?: object): Promise<T> => {
    const response = await fetch(`${forward.url}/api/queues/${path}`, {
      headers: { authorization, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`RabbitMQ's management API answered ${path} with ${response.status}`);
    return (await response.json()) as T;
  };
  const queues = async (): Promise<Map<string, number>> => {
    // The statistics of the overview are seconds old; the totals are not.
    const all = await call<{ name: string; messages?: number }[]>(
      '%2F?disable_stats=true&enable_queue_totals=true',
    );
    return new Map(all.map(({ name, messages = 0 }) => [name, messages]));
  };
  return {
    queues,
    async peek(queue, count) {
      const request = { count, ackmode: 'ack_requeue_true', encoding: 'auto' };
      const messages = await call<{ payload: string }[]>(`%2F/${queue}/get`, request);
      return messages.map(({ payload }) => payload);
    },
    async holds(queue, count, limitMs) {
      const late = performance.now() + limitMs;
      for (;;) {
        const held = (await queues()).get(queue) ?? 0;
        if (held >= count) return held;
        if (performance.now() > late)
          throw new Error(
            `the queue ${queue} holds ${held} messages, not ${count}, after ${limitMs / 1000} s`,
          );
        await sleep(pollMs);
      }
    },
    [Symbol.asyncDispose]: () => forward[Symbol.asyncDispose](),
  };
};
