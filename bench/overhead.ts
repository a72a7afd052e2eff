import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Gantry, startGantry } from '../test/start-gantry.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { gantryRound } from './gantry-round.ts';
import { makePictures, percentile, rounded } from './pictures.ts';
import { descendantsOf, residentMiB } from './processes.ts';

const workers = availableParallelism();
const modelDir = fileURLToPath(new URL('../models/pets', import.meta.url));
const maxBatch = '4';

const startBare = async (): Promise<ChildProcess[]> => {
  const script = fileURLToPath(new URL('bare-worker.ts', import.meta.url));
  const children = Array.from({ length: workers }, () => fork(script, [modelDir, maxBatch]));
  await Promise.all(children.map((child) => once(child, 'message')));
  return children;
};

/** Pictures a second of decode and inference alone. */
const bareRound = async (children: readonly ChildProcess[], files: readonly string[]): Promise<number> => {
  const began = performance.now();
  await Promise.all(
    children.map((child, index) => {
      child.send(files.filter((_, n) => n % children.length === index));
      return once(child, 'message');
    }),
  );
  return files.length / ((performance.now() - began) / 1000);
};

const metric = (text: string, name: string): number =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);

const measure = async (server: Gantry, children: readonly ChildProcess[], quick: boolean): Promise<Table> => {
  const count = quick ? 100 : 1000;
  const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
  const distinct = await makePictures(folder);
  const files = Array.from({ length: count }, (_, n) => distinct[n % distinct.length] ?? '');
  const loaded = (await Promise.all(distinct.map((file) => readFile(file)))) as Buffer<ArrayBuffer>[];
  const pictures = files.map((_, n) => loaded[n % loaded.length] ?? Buffer.alloc(0));
  await bareRound(children, files.slice(0, 40));
  await gantryRound(server.url, pictures.slice(0, 40));

  const rates: { bare: number; gantry: number }[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    rates.push({ bare: await bareRound(children, files), gantry: await gantryRound(server.url, pictures) });
  }
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const memory = await Promise.all((await descendantsOf(server.process.pid ?? 0)).map(residentMiB));
  await rm(folder, { recursive: true });

  const median = (values: number[]): number => percentile(values, 0.5);
  const bare = median(rates.map((rate) => rate.bare));
  const gantry = median(rates.map((rate) => rate.gantry));
  return {
    title: `${count} pictures of 500 x 375 end to end, ${workers} workers, ${rates.length} rounds, medians`,
    rows: [
      { figure: 'bare loop, images/s', value: rounded(bare) },
      { figure: 'gantry serve, images/s', value: rounded(gantry) },
      { figure: 'ratio (the load generator shares the cores)', value: rounded(gantry / bare, 2) },
      {
        figure: 'spread of the ratio',
        value: rates.map((rate) => rounded(rate.gantry / rate.bare, 2)).join(' '),
      },
      {
        figure: 'event loop p99, ms',
        value: rounded(1000 * metric(text, 'nodejs_eventloop_lag_p99_seconds')),
      },
      { figure: 'memory of the server, MiB', value: await residentMiB(server.process.pid ?? 0) },
      { figure: 'memory of each worker, MiB', value: memory.join(' ') },
    ],
  };
};

export const overhead: Benchmark = {
  about:
    'images a second through gantry serve, against a bare loop of decode and inference in as many processes',
  async run(quick) {
    const children = await startBare();
    const server = await startGantry({ env: { GANTRY_LOG_LEVEL: 'info', GANTRY_MAX_BATCH: maxBatch } });
    try {
      return await measure(server, children, quick);
    } finally {
      for (const child of children) child.kill();
      await server.stop();
    }
  },
};
