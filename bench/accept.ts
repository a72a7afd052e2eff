import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Benchmark, Table } from './benchmark.ts';
import { celeryAccepts, seedAlone, seedUnderGunicorn } from './contenders/contenders.ts';
import { gantryServeAccepts, gantryWebAccepts } from './gantry-contenders.ts';
import { type Body, connect, forms, keepBusy, type Measured, median, spread } from './load.ts';
import { makePictures, percentile, rounded } from './pictures.ts';
import { type Started, startSystems } from './start-systems.ts';

/** What an answer promises, by where the file and its message are by then. */
const contenders = [
  { contender: gantryServeAccepts, durable: 'yes' },
  { contender: gantryWebAccepts, durable: 'yes' },
  { contender: celeryAccepts, durable: 'message only' },
  { contender: seedUnderGunicorn, durable: 'no' },
  { contender: seedAlone, durable: 'no' },
];
const durableOf = (name: string) =>
  contenders.find(({ contender }) => contender.name === name)?.durable ?? '';

const upload = async (
  { system }: Started,
  bodies: readonly Body[],
  connections: number,
  ms: number,
): Promise<Measured> => {
  const client = connect(system.url, connections);
  try {
    return await keepBusy(connections, ms, (n) => client.post(bodies[n % bodies.length] as Body));
  } finally {
    client.close();
  }
};

const measure = async (
  started: readonly Started[],
  bodies: readonly Body[],
  { ms, rounds, levels }: { ms: number; rounds: number; levels: readonly number[] },
): Promise<Table['rows']> => {
  const measured = new Map(started.map(({ name }) => [name, levels.map((): Measured[] => [])]));
  for (const one of started) await upload(one, bodies, Math.max(...levels), ms / 4);
  for (let round = 0; round < rounds; round++) {
    for (const [level, connections] of levels.entries()) {
      for (const one of started) {
        measured.get(one.name)?.[level]?.push(await upload(one, bodies, connections, ms));
      }
    }
  }
  const roundsOf = (name: string, level: number): Measured[] => measured.get(name)?.[level] ?? [];
  const ratio = (name: string, to: string, level: number): number | string => {
    const theirs = roundsOf(to, level);
    const ratios = roundsOf(name, level).map((ours, n) => ours.perSecond / (theirs[n]?.perSecond ?? 0));
    return ratios.length > 0 ? rounded(median(ratios)) : '';
  };
  return levels.flatMap((connections, level) =>
    started.map(({ name }) => {
      const all = roundsOf(name, level);
      const rates = all.map(({ perSecond }) => perSecond);
      return {
        system: name,
        durable: durableOf(name),
        connections,
        'uploads/s': rounded(median(rates)),
        rounds: spread(rates),
        'p50 ms': rounded(median(all.map(({ took }) => percentile(took, 0.5)))),
        'p99 ms': rounded(median(all.map(({ took }) => percentile(took, 0.99)))),
        'processor ms': rounded(median(all.map(({ cost }) => cost)), 2),
        'serve / it': ratio(gantryServeAccepts.name, name, level),
        'web / it': ratio(gantryWebAccepts.name, name, level),
      };
    }),
  );
};

export const accept: Benchmark = {
  about: 'uploads a second and how long one takes, against the design Gantry comes from and against Celery',
  async run(quick) {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const files = await makePictures(folder, quick ? 8 : 40);
    const bodies = forms(await Promise.all(files.map((file) => readFile(file))));
    const systems = await startSystems(contenders.map(({ contender }) => contender));
    try {
      const how = quick ? { ms: 500, rounds: 1, levels: [16] } : { ms: 4000, rounds: 3, levels: [1, 16, 64] };
      const rows = await measure(systems.started, bodies, how);
      return {
        title: `uploads of 500 x 375 pictures, ${how.rounds} rounds of ${how.ms / 1000} s, medians`,
        rows: [...rows, ...systems.missing],
      };
    } finally {
      await systems.stop();
      await rm(folder, { recursive: true });
    }
  },
};
