import { fileURLToPath } from 'node:url';
import { startRabbitMq } from '../test/services/rabbitmq.ts';
import { type Gantry, startGantry } from '../test/start-gantry.ts';
import type { Storage as FilledStorage } from './filled-storage.ts';
import { descendantsOf } from './processes.ts';

/** A Gantry with all that it stands on, to be measured. */
export interface System {
  /** Of its web server. */
  readonly url: string;
  /** The processes of each of its parts: `web`, `consumer`, `workers`, `postgres`, `rabbitmq`. */
  parts(): Promise<Readonly<Record<string, readonly number[]>>>;
  /** Starts a consumer more; where one process is all, that is the process. */
  addConsumer(): Promise<void>;
  stop(): Promise<void>;
}

/** Does next to nothing for a picture, so that what the pipeline itself costs stands out. */
export const stubModel = fileURLToPath(new URL('../test/fixtures/models/colours', import.meta.url));

type Storage = Pick<FilledStorage, 'dataDir' | 'databaseUrl'>;

const pidOf = ({ process }: Gantry): number => process.pid ?? Number.NaN;

/** `gantry serve`: everything in one process and its workers. It starts with {@link System.addConsumer}. */
export const embedded = (storage: Storage, env: NodeJS.ProcessEnv): System => {
  let server: Gantry | undefined;
  const running = (): Gantry => {
    if (server === undefined) throw new Error('the server has not been started');
    return server;
  };
  return {
    get url() {
      return running().url;
    },
    async parts() {
      const pid = pidOf(running());
      return { web: [pid], workers: await descendantsOf(pid) };
    },
    async addConsumer() {
      server = await startGantry({ dataDir: storage.dataDir, env });
    },
    stop: async () => void (await server?.stop()),
  };
};

/** `gantry web` and consumers, on a RabbitMQ of their own and the PostgreSQL server `postgres`. */
export const scaledOut = async (
  storage: Storage,
  postgres: { readonly pid: number },
  env: NodeJS.ProcessEnv,
): Promise<System> => {
  const rabbitmq = await startRabbitMq();
  const all = { ...env, GANTRY_AMQP_URL: rabbitmq.amqpUrl, GANTRY_DATABASE_URL: storage.databaseUrl };
  const start = (role: 'web' | 'consumer') => startGantry({ role, dataDir: storage.dataDir, env: all });
  const web = await start('web').catch(async (error: unknown) => {
    await rabbitmq.dispose();
    throw error;
  });
  const consumers: Gantry[] = [];
  return {
    url: web.url,
    async parts() {
      const pids = consumers.map(pidOf);
      return {
        web: [pidOf(web)],
        consumer: pids,
        workers: (await Promise.all(pids.map(descendantsOf))).flat(),
        postgres: [postgres.pid, ...(await descendantsOf(postgres.pid))],
        rabbitmq: [rabbitmq.pid, ...(await descendantsOf(rabbitmq.pid))],
      };
    },
    addConsumer: async () => void consumers.push(await start('consumer')),
    async stop() {
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      await web.stop();
      await rabbitmq.dispose();
    },
  };
};
