import type { Channel, ChannelModel } from 'amqplib';
import { exchange, type Queue, type QueueName } from './topology.ts';

/** Passive declarations answer 404 for what does not exist (AMQP 0-9-1, queue.declare and exchange.declare). */
const notFound = 404;

/** Closes a channel; what was sent through it before has then reached the broker, unless the connection ended. */
export const closeChannel = (channel: Channel): Promise<void> =>
  new Promise((resolve) => {
    // If the connection ends first, amqplib's own promise stays pending for ever.
    channel.once('close', resolve);
    channel.close().then(resolve, () => resolve());
  });

/** Runs `run` on a channel of its own: the broker closes a channel over each refusal. */
export const withChannel = async <T>(
  model: ChannelModel,
  run: (channel: Channel) => Promise<T>,
): Promise<T> => {
  const channel = await model.createChannel();
  // What it is about reaches `run` as well.
  channel.on('error', () => undefined);
  try {
    return await run(channel);
  } finally {
    await closeChannel(channel);
  }
};

/** What a passive declaration answers; undefined if there is no such thing. */
export const passively = <T>(
  model: ChannelModel,
  declare: (channel: Channel) => Promise<T>,
): Promise<T | undefined> =>
  withChannel(model, (channel) =>
    declare(channel).catch((error: { code?: unknown }) => {
      if (error.code === notFound) return undefined;
      throw error;
    }),
  );

/** The optional arguments of a queue's declaration (RabbitMQ: quorum queues, dead letter exchanges, TTL). */
export const argumentsOf = ({
  ttlMs,
  deadLetterTo,
  deliveryLimit,
}: Queue): Record<string, string | number> => ({
  'x-queue-type': 'quorum',
  'x-delivery-limit': deliveryLimit,
  ...(ttlMs === undefined ? {} : { 'x-message-ttl': ttlMs }),
  ...(deadLetterTo === undefined
    ? {}
    : {
        'x-dead-letter-exchange': exchange,
        'x-dead-letter-routing-key': deadLetterTo,
        'x-dead-letter-strategy': 'at-least-once',
        // Without it the strategy would silently be at-most-once.
        'x-overflow': 'reject-publish',
      }),
});

/** Creates what is missing of exchange, queues and bindings. Rejects where one exists with other arguments (406). */
export const declareTopology = (model: ChannelModel, topology: readonly Queue[]): Promise<void> =>
  withChannel(model, async (channel) => {
    await channel.assertExchange(exchange, 'direct', { durable: true });
    for (const queue of topology) {
      await channel.assertQueue(queue.name, { durable: true, arguments: argumentsOf(queue) });
      await channel.bindQueue(queue.name, exchange, queue.name);
    }
  });

/** The first thing of the topology that does not exist. */
export const missingFrom = async (
  model: ChannelModel,
  topology: readonly Queue[],
): Promise<string | undefined> => {
  if ((await passively(model, (channel) => channel.checkExchange(exchange))) === undefined) return exchange;
  for (const { name } of topology) {
    if ((await passively(model, (channel) => channel.checkQueue(name))) === undefined) return name;
  }
  return undefined;
};

/**
 * The mark that what the queue `images` lost has been put back: an exchange that nobody publishes to. It is bound to
 * the queue and deletes itself with its last binding, so it goes with the queue, in the same transaction.
 */
const mark = 'gantry.filled';
const marked: QueueName = 'images';

export const hasMark = async (model: ChannelModel): Promise<boolean> =>
  (await passively(model, (channel) => channel.checkExchange(mark))) !== undefined;

export const setMark = (model: ChannelModel): Promise<void> =>
  withChannel(model, async (channel) => {
    await channel.assertExchange(mark, 'direct', { durable: true, autoDelete: true, internal: true });
    await channel.bindQueue(marked, mark, marked);
  });

/** Resolves true if the queue is to be created; no mark is left then. */
export const isUnmade = async (model: ChannelModel): Promise<boolean> => {
  if ((await passively(model, (channel) => channel.checkQueue(marked))) !== undefined) return false;
  // One whose maker was killed before it was bound would outlive the queue.
  await withChannel(model, (channel) => channel.deleteExchange(mark));
  return true;
};
