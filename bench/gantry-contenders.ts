import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { EventSourceMessage } from 'eventsource-parser/stream';
import type { ImageJson, UploadJson } from '../test/acceptance/target.ts';
import { type Gantry, startGantry } from '../test/start-gantry.ts';
import { type Contender, type Ended, followResults, type System } from './contender.ts';

const ended = ({ event, data }: EventSourceMessage): Ended | undefined => {
  if (event !== 'succeeded' && event !== 'failed' && event !== 'dead') return undefined;
  const { id, result, error } = JSON.parse(data) as ImageJson;
  return { id, label: result?.label ?? new Error(`${id}: ${error?.message}`) };
};

const correlationId = (answer: string): string => (JSON.parse(answer) as UploadJson).correlationId;

/** A web server whose results are followed. */
export const gantrySystem = async (web: Gantry, stop: () => Promise<unknown>): Promise<System> => {
  const results = await followResults(`${web.url}/events`, ended);
  return {
    url: `${web.url}/upload`,
    label: (answer) => results.of(correlationId(answer)),
    async stop() {
      await results.stop();
      await stop();
    },
  };
};

const workers = `${availableParallelism()}`;

export const gantryServe: Contender = {
  name: 'gantry serve (SQLite)',
  async start() {
    const server = await startGantry({ args: ['--workers', workers] });
    return gantrySystem(server, server.stop);
  },
};

export const gantryApart: Contender = {
  name: 'gantry web + consumer (RabbitMQ, PostgreSQL)',
  async start(services) {
    const env = {
      GANTRY_AMQP_URL: await services.amqpUrl('gantry'),
      GANTRY_DATABASE_URL: await services.databaseUrl(),
    };
    const web = await startGantry({ role: 'web', env });
    const args = ['--workers', workers];
    const consumer = await startGantry({ role: 'consumer', env, args, dataDir: web.dataDir });
    return gantrySystem(web, () => consumer.stop().then(web.stop));
  },
};

const acceptOnly = (url: string, stop: () => Promise<unknown>): System => ({
  url: `${url}/upload`,
  label: () => Promise.reject(new Error('nothing is classified here')),
  stop: async () => void (await stop()),
});

/** Its consumer belongs to it, so its one worker is stopped, as if it were busy; others' consumers do not run either. */
export const gantryServeAccepts: Contender = {
  name: 'gantry serve (SQLite), its worker stopped',
  async start() {
    const args = ['--workers', '1', '--job-deadline', '1d'];
    const server = await startGantry({ args });
    const { pid = 0 } = server.process;
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
    const signalAll = (name: NodeJS.Signals): void => {
      for (const child of children) process.kill(Number(child), name);
    };
    signalAll('SIGSTOP');
    return acceptOnly(server.url, () => {
      signalAll('SIGKILL');
      server.process.kill('SIGKILL');
      return server.stop();
    });
  },
};

export const gantryWebAccepts: Contender = {
  name: 'gantry web (RabbitMQ, PostgreSQL)',
  async start(services) {
    const env = {
      GANTRY_AMQP_URL: await services.amqpUrl('gantry'),
      GANTRY_DATABASE_URL: await services.databaseUrl(),
    };
    const web = await startGantry({ role: 'web', env });
    return acceptOnly(web.url, web.stop);
  },
};
