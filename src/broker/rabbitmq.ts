import type { ChannelModel } from 'amqplib';
import type { Logger } from '../observability/log.ts';
import { type Broker, PublishError, type QueueStatus } from './broker.ts';
import { parseAmqpUrl } from './rabbitmq-address.ts';
import { keepConnection } from './rabbitmq-connection.ts';
import { messageOf } from './rabbitmq-dial.ts';
import { createPublisher } from './rabbitmq-publisher.ts';
import { createSetup } from './rabbitmq-setup.ts';
import { createSubscription, type RabbitSubscription } from './rabbitmq-subscription.ts';
import { passively } from './rabbitmq-topology.ts';
import { topology as declaredTopology, type Queue, type QueueName } from './topology.ts';

export interface RabbitmqOptions {
  /** `amqp://user:password@host-1:5672,host-2:5672/vhost?heartbeat=10`, or amqps. */
  readonly url: string;
  /** Instead of those in the URL; asked before each connection, as they may have changed meanwhile. */
  readonly credentials?: () => { readonly username?: string; readonly password?: string };
  /** Certificates in PEM that the broker is checked against (amqps), instead of the system's. */
  readonly ca?: string;
  /** Whether this process creates the queues (the web server), or waits for them (a consumer). */
  readonly declare: boolean;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Shown beside the connections in the broker's own pages. */
  readonly name: string;
  readonly topology?: readonly Queue[];
  /** Limit of a publish, and of a status; waiting for a connection included. Default: 10 s. */
  readonly publishTimeoutMs?: number;
  /** Seconds, unless the URL says otherwise; a peer that is silent for two to three times as long is given up. Default: 10. */
  readonly heartbeat?: number;
  /** Limit of a connection's making, handshake included, and of each look at its queues. Default: 10 s. */
  readonly connectTimeoutMs?: number;
  /** Longest pause between two tries to connect. Default: 2 s. */
  readonly maxBackoffMs?: number;
}

/** A quorum queue's counts are brought up to date at its ticks (RabbitMQ: quorum_tick_interval, 5 s unless set). */
const statusLagMs = 10_000;

/**
 * A broker that is RabbitMQ 3.10 or later. Returns at once and connects in the background, with one connection to
 * publish and one to consume, so that a broker that blocks publishers still takes acknowledgements. Both are made
 * again whenever they are lost. Throws AddressError for a URL that is none.
 */
export const rabbitmqBroker = (options: RabbitmqOptions): Broker => {
  const { declare, log, topology = declaredTopology, publishTimeoutMs = 10_000 } = options;
  const { connectTimeoutMs = 10_000, maxBackoffMs = 2_000 } = options;
  const { url, credentials = () => ({}), ca, name, heartbeat = 10 } = options;
  const address = () => parseAmqpUrl(url, { ...credentials(), heartbeatSeconds: heartbeat });
  // Now, too: a URL that is none must be told at once.
  const dial = {
    hosts: address().hosts,
    address,
    ...(ca === undefined ? {} : { ca }),
    name,
    connectTimeoutMs,
    maxBackoffMs,
    log,
  };
  const subscriptions = new Set<RabbitSubscription>();
  let consuming: ChannelModel | undefined;
  let restoring: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  const setup = createSetup({
    topology,
    declare,
    limitMs: connectTimeoutMs,
    log,
    connection: () => consumeConnection.within(publishTimeoutMs),
  });

  const consumeConnection = keepConnection({
    ...dial,
    purpose: 'consume',
    prepare: async (model) => {
      await setup.run(model);
      consuming = model;
      for (const subscription of subscriptions) subscription.attach();
    },
    lost: () => {
      consuming = undefined;
    },
  });

  const lookAgain = async (): Promise<void> => {
    const model = consuming;
    // The next connection begins with it.
    if (model === undefined) return;
    await setup.run(model).catch((error: unknown) => consumeConnection.drop(model, messageOf(error)));
  };
  /** A queue was not there: all are looked after once more. */
  const restore = (): Promise<void> => {
    restoring ??= lookAgain().finally(() => {
      restoring = undefined;
    });
    return restoring;
  };

  const publisher = createPublisher({
    timeoutMs: publishTimeoutMs,
    log,
    drop: (model, reason) => publishConnection.drop(model, reason),
    unroutable: (queue) => {
      if (topology.some((declared) => declared.name === queue)) void restore();
    },
  });

  const publishConnection = keepConnection({
    ...dial,
    purpose: 'publish',
    prepare: async (model) => {
      await setup.run(model);
      await publisher.prepare(model);
    },
    lost: publisher.lost,
  });

  const refuseClosed = (): void => {
    if (closing !== undefined) throw new PublishError('closed', 'the broker is closed');
  };

  const status = async (queue: QueueName): Promise<QueueStatus> => {
    refuseClosed();
    const model = await consumeConnection.within(publishTimeoutMs);
    refuseClosed();
    if (model === undefined) {
      throw new PublishError('timed-out', `no connection to the broker within ${publishTimeoutMs} ms`);
    }
    const found = await passively(model, (channel) => channel.checkQueue(queue));
    if (found === undefined) {
      void restore();
      throw new PublishError('unroutable', `there is no queue ${queue}`);
    }
    let messages = found.messageCount;
    for (const subscription of subscriptions) {
      if (subscription.queue === queue) messages += subscription.unanswered();
    }
    return { ready: found.messageCount, messages, consumers: found.consumerCount };
  };

  const close = async (): Promise<void> => {
    setup.stop();
    for (const subscription of subscriptions) subscription.stop();
    await publisher.close();
    await Promise.all([publishConnection.close(), consumeConnection.close()]);
  };

  return {
    publish: publisher.publish,
    hint: publisher.hint,
    consume: async (queue, { prefetch }, handler) => {
      refuseClosed();
      if (!Number.isInteger(prefetch) || prefetch < 1)
        throw new RangeError(`prefetch ${prefetch} is below 1`);
      const declared = topology.find((one) => one.name === queue) ?? { name: queue };
      const subscription = createSubscription({
        queue: declared,
        prefetch,
        handler,
        log,
        connection: () => consuming,
        restore,
      });
      subscriptions.add(subscription);
      subscription.attach();
      return {
        isActive: subscription.isActive,
        cancel: async () => {
          await subscription.cancel();
          subscriptions.delete(subscription);
        },
      };
    },
    status,
    statusLagMs,
    isConnected: publisher.isReady,
    onEmptied: setup.onEmptied,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
};
