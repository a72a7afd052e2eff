import { setImmediate as turn } from 'node:timers/promises';
import type { Broker, Delivery } from './broker.ts';
import type { QueueName } from './topology.ts';

// What the broker's tests look through. Nothing here sleeps to let something happen: each waits for the thing itself.

/** Fails with a clear message where a hang would otherwise; also holds the event loop, as brokers' timers do not. */
export const within = async <T>(awaited: Promise<T>, what: string): Promise<T> => {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`waited in vain for ${what}`)), 30_000);
  try {
    return await Promise.race([awaited, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
};

export const eventually = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  let over = false;
  const poll = async () => {
    while (!over && !(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  try {
    await within(poll(), what);
  } finally {
    over = true;
  }
};

export const emptied = (broker: Broker, queue: QueueName): Promise<void> =>
  eventually(`${queue} to be empty`, async () => (await broker.status(queue)).messages === 0);

export const text = ({ body }: Delivery): string => Buffer.from(body).toString();

export const numbers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => String(index));

export const publishAll = async (
  broker: Broker,
  queue: QueueName,
  bodies: readonly string[],
): Promise<void> => {
  await Promise.all(bodies.map((body) => broker.publish(queue, Buffer.from(body))));
};

/** Takes exactly `count` messages off a queue. */
export const take = async (
  broker: Broker,
  queue: QueueName,
  count: number,
  prefetch = 1,
): Promise<Delivery[]> => {
  const taken: Delivery[] = [];
  const stopped = Promise.withResolvers<void>();
  const subscription = broker.consume(queue, { prefetch }, async (delivery) => {
    taken.push(delivery);
    // Cancelled before this answer makes room for another delivery.
    if (taken.length === count) (await subscription).cancel().then(stopped.resolve, stopped.reject);
    return 'ack';
  });
  await subscription;
  await within(stopped.promise, `${count} messages from ${queue}`);
  return taken;
};

/** Everything on its way through the broker has had its chance once messages of our own went round. */
export const settle = async (broker: Broker): Promise<void> => {
  for (let round = 0; round < 3; round += 1) {
    await broker.publish('results', Buffer.from('fence'));
    await take(broker, 'results', 1);
    await turn();
  }
};
