import { hostname } from 'node:os';
import type { Broker } from '../broker/broker.ts';
import { memoryBroker } from '../broker/memory.ts';
import { rabbitmqBroker } from '../broker/rabbitmq.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../observability/log.ts';
import { ConfigError } from '../setting-kinds.ts';

/**
 * RabbitMQ, connected in the background. `role` is shown beside its connections; `declare` creates the queues. Throws
 * ConfigError without `amqpUrl`.
 */
export const openRabbitmq = (config: Config, log: Logger, role: string, declare: boolean): Broker => {
  if (config.amqpUrl === undefined) {
    throw new ConfigError(
      `gantry ${role} needs a broker: set GANTRY_AMQP_URL, such as amqp://localhost (gantry serve runs without one)`,
    );
  }
  return rabbitmqBroker({
    url: config.amqpUrl,
    credentials() {
      const [username, password] = [config.now('amqpUsername'), config.now('amqpPassword')];
      return { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
    },
    ...(config.amqpCa === undefined ? {} : { ca: config.amqpCa }),
    declare,
    log,
    name: `gantry ${role} ${hostname()}:${process.pid}`,
  });
};

/** For `gantry serve`: RabbitMQ if it is set, else a queue in this process. */
export const openBroker = (config: Config, log: Logger): Broker =>
  config.amqpUrl === undefined ? memoryBroker({ log }) : openRabbitmq(config, log, 'serve', true);
