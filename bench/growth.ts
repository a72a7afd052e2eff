import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { json } from '../test/acceptance/target.ts';
import { startPostgres } from '../test/services/postgres.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { costOf, endedOf, endedSince } from './cost.ts';
import { filledStorage, type Size } from './filled-storage.ts';
import { makeTinyPicture } from './pictures.ts';
import { residentMiB } from './processes.ts';
import { embedded, type System, scaledOut, stubModel } from './system.ts';

const env = { GANTRY_MODEL: stubModel, GANTRY_MAX_BACKLOG: '1000000', GANTRY_JOB_DEADLINE: '1d' };

/** Queues again what the system found waiting: that is done once, after the start, whoever works meanwhile. */
const queueAgain = async (system: System): Promise<void> => {
  const { workers = [] } = await system.parts();
  for (const pid of workers) process.kill(pid, 'SIGSTOP');
  for (;;) {
    const { outbox } = await json<{ outbox: { rows: number } }>(await fetch(`${system.url}/system`));
    if (outbox.rows === 0) break;
    await sleep(100);
  }
  for (const pid of workers) process.kill(pid, 'SIGCONT');
};

/** While `count` of its backlog end, after as many that warm it up: a start costs the more, the more is stored. */
const measure = async (system: System, size: Size, count: number): Promise<Table['rows'][number]> => {
  await queueAgain(system);
  await endedSince(system, size.stored, count);
  const before = await endedOf(system);
  const { imagesPerSecond, perImage } = await costOf(system, () => endedSince(system, before, count));
  const [web = Number.NaN] = (await system.parts()).web ?? [];
  return { ...size, 'images/s': imagesPerSecond, ...perImage, 'web MiB': await residentMiB(web) };
};

const sizes = (quick: boolean): Size[] =>
  quick
    ? [{ stored: 1_000, backlog: 12_000 }]
    : [
        { stored: 10_000, backlog: 10_000 },
        { stored: 10_000, backlog: 30_000 },
        { stored: 10_000, backlog: 100_000 },
        { stored: 100_000, backlog: 10_000 },
        { stored: 1_000_000, backlog: 10_000 },
      ];

const growth = (about: string, withPostgres: boolean): Benchmark => ({
  about: `processor time for an image as backlog and store grow, in ${about}`,
  async run(quick) {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const picture = await makeTinyPicture(folder);
    const rows: Table['rows'][number][] = [];
    for (const size of sizes(quick)) {
      const postgres = withPostgres
        ? await startPostgres({ shared_buffers: '1GB', max_wal_size: '8GB' })
        : undefined;
      const storage = await filledStorage(size, [picture], postgres);
      const system = postgres ? await scaledOut(storage, postgres, env) : embedded(storage, env);
      try {
        await system.addConsumer();
        rows.push(await measure(system, size, quick ? 200 : 4_000));
      } finally {
        await system.stop();
        await postgres?.dispose();
        await storage.dispose();
      }
    }
    await rm(folder, { recursive: true });
    return { title: `tiny pictures, a model that does next to nothing, ${about}`, rows };
  },
});

export const growthEmbedded = growth('gantry serve', false);
export const growthScaledOut = growth('web, RabbitMQ, PostgreSQL and a consumer', true);
