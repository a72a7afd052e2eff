import { startPostgres } from '../test/services/postgres.ts';
import { rabbitMqMissing, startRabbitMq } from '../test/services/rabbitmq.ts';
import { startRedis } from './contenders/redis.ts';

/** Servers that several systems share, each started when the first of them asks; loopback only, data synced for real. */
export interface Services {
  /** Of a virtual host of one's own. Rejects where RabbitMQ is not installed. */
  amqpUrl(name: string): Promise<string>;
  /** Of an empty PostgreSQL database. Rejects where PostgreSQL is not installed. */
  databaseUrl(): Promise<string>;
  /** Rejects where Redis is not installed and cannot be. */
  redisUrl(): Promise<string>;
  stop(): Promise<void>;
}

const startedOnce = <T>(start: () => Promise<T>, stop: (server: T) => Promise<void>) => {
  let starting: Promise<T> | undefined;
  return {
    get: (): Promise<T> => {
      starting ??= start();
      return starting;
    },
    // What could not be started needs no stop.
    stop: (): Promise<void> => starting?.then(stop, () => {}) ?? Promise.resolve(),
  };
};

const installHint = 'install it with `npm test`, or with apt-get as root';

export const lazyServices = (): Services => {
  const rabbit = startedOnce(
    async () => {
      if (rabbitMqMissing()) throw new Error(`RabbitMQ is missing; ${installHint}`);
      return startRabbitMq();
    },
    (server) => server.dispose(),
  );
  const postgres = startedOnce(startPostgres, (server) => server.dispose());
  const redis = startedOnce(startRedis, (server) => server.stop());
  return {
    async amqpUrl(name) {
      const server = await rabbit.get();
      await server.api('PUT', `vhosts/${name}`);
      await server.api('PUT', `permissions/${name}/guest`, { configure: '.*', write: '.*', read: '.*' });
      return `${server.amqpUrl}/${name}`;
    },
    databaseUrl: async () => (await postgres.get()).createDatabase(),
    redisUrl: async () => (await redis.get()).url,
    async stop() {
      await Promise.all([rabbit.stop(), postgres.stop(), redis.stop()]);
    },
  };
};
