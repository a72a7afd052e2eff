import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, type UploadJson, upload } from '../test/acceptance/target.ts';
import { startPostgres } from '../test/services/postgres.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { costOf, endedOf, endedSince } from './cost.ts';
import { filledStorage } from './filled-storage.ts';
import { makePictures, makeTinyPicture } from './pictures.ts';
import { type System, scaledOut, stubModel } from './system.ts';

type Row = Table['rows'][number];
const connections = 16;

/** Uploads `count` pictures that nobody works on yet, from 16 connections. */
const uploading = async ({ url }: System, file: string, count: number): Promise<number> => {
  const bytes = (await readFile(file)) as Buffer<ArrayBuffer>;
  let next = 0;
  const client = async (): Promise<void> => {
    while (next++ < count) await json<UploadJson>(await upload(url, [{ name: 'a.jpg', bytes }]));
  };
  await Promise.all(Array.from({ length: connections }, client));
  return count;
};

/** A system with a backlog and `consumers` consumers of one worker each, while `count` of the backlog end. */
const working = async (
  env: NodeJS.ProcessEnv,
  pictures: readonly string[],
  consumers: number,
  count: number,
  uploads: number,
): Promise<{ works: Row; accepts: Row }> => {
  const postgres = await startPostgres({ shared_buffers: '1GB', max_wal_size: '8GB' });
  const warm = Math.ceil(count / 5);
  // Enough that the last of the backlog, which keeps not everybody busy, is not measured; progress is told once a second.
  const size = { stored: 1000, backlog: 3 * count + warm };
  const storage = await filledStorage(size, pictures, postgres);
  const system = await scaledOut(storage, postgres, { ...env, GANTRY_WORKERS: '1' });
  try {
    const accepts = await costOf(system, () => uploading(system, pictures[0] ?? '', uploads));
    for (let n = 0; n < consumers; n++) await system.addConsumer();
    await endedSince(system, size.stored, warm);
    const before = await endedOf(system);
    const works = await costOf(system, () => endedSince(system, before, count));
    return {
      accepts: { 'images/s': accepts.imagesPerSecond, ...accepts.perImage },
      works: { 'images/s': works.imagesPerSecond, ...works.perImage },
    };
  } finally {
    await system.stop();
    await storage.dispose();
    await postgres.dispose();
  }
};

export const scale: Benchmark = {
  about: 'throughput from one consumer to as many as there are cores, and what an image costs each part',
  async run(quick) {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const pictures = await makePictures(folder);
    const tiny = [await makeTinyPicture(folder)];
    const rows: Row[] = [];
    const count = quick ? 100 : 600;
    const most = availableParallelism();
    for (let consumers = quick ? most : 1; consumers <= most; consumers *= 2) {
      const { works } = await working({}, pictures, consumers, count, 1);
      rows.push({ figure: `results, ${consumers} x 1 worker`, ...works });
    }
    // What the pipeline itself can do: the model and the decoding cost next to nothing.
    const stub = await working(
      { GANTRY_MODEL: stubModel },
      tiny,
      most,
      quick ? 2_000 : 3_000,
      quick ? 100 : 5_000,
    );
    rows.push({ figure: `uploads of tiny pictures, ${connections} connections`, ...stub.accepts });
    rows.push({ figure: `results of a stub model, ${most} x 1 worker`, ...stub.works });
    await rm(folder, { recursive: true });
    return { title: 'web, RabbitMQ and PostgreSQL on the same cores; processor ms an image by part', rows };
  },
};
