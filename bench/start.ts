import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepted, ended } from '../test/acceptance/target.ts';
import { startPostgres } from '../test/services/postgres.ts';
import { startRabbitMq } from '../test/services/rabbitmq.ts';
import { startGantry } from '../test/start-gantry.ts';
import type { Benchmark } from './benchmark.ts';
import { percentile, rounded } from './pictures.ts';

const picture = 'cats/chelsea.png';
const since = (began: number): number => performance.now() - began;

/** Runs `once` several times and adds what it measured (ms) to one list for each figure. */
const repeated = async (times: number, once: () => Promise<Record<string, number>>) => {
  const measured = new Map<string, number[]>();
  for (let n = 0; n < times; n++) {
    for (const [figure, ms] of Object.entries(await once())) {
      measured.set(figure, [...(measured.get(figure) ?? []), ms]);
    }
  }
  return [...measured].map(([figure, values]) => ({
    figure,
    'median ms': rounded(percentile(values, 0.5), 0),
    'min ms': rounded(Math.min(...values), 0),
    'max ms': rounded(Math.max(...values), 0),
  }));
};

const serveOnce = async (): Promise<Record<string, number>> => {
  const began = performance.now();
  const server = await startGantry();
  const listening = since(began);
  await ended(server.url, await accepted(server.url, picture));
  const result = since(began);
  await server.stop();
  return { 'gantry serve to listening': listening, 'gantry serve to the first result': result };
};

export const start: Benchmark = {
  about: 'milliseconds from the start of a process to its being ready and to its first result',
  async run(quick) {
    const times = quick ? 1 : 7;
    const [postgres, rabbitmq] = [await startPostgres(), await startRabbitMq()];
    const dataDir = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    try {
      const env = { GANTRY_AMQP_URL: rabbitmq.amqpUrl, GANTRY_DATABASE_URL: await postgres.createDatabase() };
      const web = await startGantry({ role: 'web', dataDir, env });
      const consumerOnce = async (): Promise<Record<string, number>> => {
        const id = await accepted(web.url, picture);
        const began = performance.now();
        const consumer = await startGantry({ role: 'consumer', dataDir, env });
        const consuming = since(began);
        await ended(web.url, id);
        const result = since(began);
        await consumer.stop();
        return {
          'gantry consumer to consuming': consuming,
          'gantry consumer to the result of a job that waits': result,
        };
      };
      const rows = [...(await repeated(times, serveOnce)), ...(await repeated(times, consumerOnce))];
      await web.stop();
      return { title: `${times} starts each; every one loads the model in its workers`, rows };
    } finally {
      await rabbitmq.dispose();
      await postgres.dispose();
      await rm(dataDir, { recursive: true });
    }
  },
};
