import { availableParallelism } from 'node:os';
import type { EventSourceMessage } from 'eventsource-parser/stream';
import { loadConfig } from '../../src/config.ts';
import { freePorts } from '../../test/services/free-port.ts';
import { type Contender, followResults, type System } from '../contender.ts';
import { installContenders, type PythonProcess, startPython } from './python.ts';

const workers = `${availableParallelism()}`;
/** As many pictures as one of Gantry's workers takes at once. */
const batching = { WORKERS: workers, MAX_BATCH: `${loadConfig({}).maxBatch}` };

type Label = System['label'];

const onlyAccepts: Label = () => Promise.reject(new Error('nothing is classified here'));

/** Starts a server on a free port; `command` is told which. */
const serve = async (
  command: (port: string) => [program: string, ...args: string[]],
  env: Readonly<Record<string, string>>,
): Promise<{ url: string; server: PythonProcess }> => {
  await installContenders();
  const [port = 0] = await freePorts(1);
  const [program, ...args] = command(`${port}`);
  const server = await startPython(program, args, { ...env, PORT: `${port}` });
  await server.listening(port).catch(async (error) => {
    await server.stop();
    throw error;
  });
  return { url: `http://127.0.0.1:${port}`, server };
};

const seed = (name: string, command: (port: string) => [string, ...string[]]): Contender => ({
  name,
  async start(services) {
    const { url, server } = await serve(command, { AMQP_URL: await services.amqpUrl('seed') });
    return { url: `${url}/upload`, label: onlyAccepts, stop: server.stop };
  },
});

export const seedAlone = seed('the seed: Flask + pika', () => ['python', '-m', 'seed']);

/** https://flask.palletsprojects.com/en/stable/deploying/gunicorn/, with threads, as it waits for RabbitMQ mostly. */
export const seedUnderGunicorn = seed('the seed under gunicorn', (port) => [
  'gunicorn',
  ...['--workers', workers, '--threads', '16', '--bind', `127.0.0.1:${port}`, 'seed:app'],
]);

const uvicorn = (port: string): [string, ...string[]] => [
  'uvicorn',
  ...['fastapi_pets:web', '--port', port, '--workers', workers, '--no-access-log', '--log-level', 'warning'],
];

export const celeryAccepts: Contender = {
  name: 'FastAPI + Celery + RabbitMQ',
  async start(services) {
    const { url, server } = await serve(uvicorn, { AMQP_URL: await services.amqpUrl('celery') });
    return { url: `${url}/upload`, label: onlyAccepts, stop: server.stop };
  },
};

/** The message's shape: https://docs.celeryq.dev/en/stable/internals/protocol.html */
const endedTask = ({ event, data }: EventSourceMessage) => {
  if (event !== 'ended') return undefined;
  const { task_id: id, status, result } = JSON.parse(data);
  return { id, label: status === 'SUCCESS' ? result : new Error(`${status}: ${JSON.stringify(result)}`) };
};

export const celery: Contender = {
  name: 'FastAPI + Celery + RabbitMQ',
  async start(services) {
    const env = { AMQP_URL: await services.amqpUrl('celery'), REDIS_URL: await services.redisUrl() };
    const { url, server } = await serve(uvicorn, env);
    const args = ['--app', 'celery_pets', 'worker', '--concurrency', workers, '--loglevel', 'warning'];
    const worker = await startPython('celery', args, env);
    const results = await followResults(`${url}/events`, endedTask);
    return {
      url: `${url}/upload`,
      label: (answer) => results.of(JSON.parse(answer).id),
      async stop() {
        await results.stop();
        await Promise.all([worker.stop(), server.stop()]);
      },
    };
  },
};

export const litserve: Contender = {
  name: 'LitServe',
  async start() {
    const { url, server } = await serve(() => ['python', '-m', 'litserve_pets'], batching);
    const label: Label = async (answer) => JSON.parse(answer).label;
    // Its processes look for work again and again: a fifth of a core on the machine this was written on.
    return { url: `${url}/predict`, label, rest: server, stop: server.stop };
  },
};

export const bentoml: Contender = {
  name: 'BentoML',
  async start() {
    const { url, server } = await serve(
      (port) => ['bentoml', 'serve', 'bentoml_pets:PetsService', '--host', '127.0.0.1', '--port', port],
      { ...batching, BENTOML_DO_NOT_TRACK: 'true' },
    );
    return { url: `${url}/upload`, label: async (answer) => JSON.parse(answer)[0], stop: server.stop };
  },
};
