import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '../test/resilience/seeded.ts';
import type { Benchmark } from './benchmark.ts';
import { type Classify, classifier, saturating } from './contender.ts';
import { bentoml, celery, litserve } from './contenders/contenders.ts';
import { gantryApart, gantryServe } from './gantry-contenders.ts';
import { arrivals, arrive, type Body, forms, keepBusy, type Measured, median, spread } from './load.ts';
import { makePictures, percentile, rounded } from './pictures.ts';
import { drop, type Started, type Systems, startSystems } from './start-systems.ts';

/** A system that falls behind must not make the load generator open connections without end. */
const mostConnections = 256;

interface Running extends Started {
  readonly classify: Classify;
}

/** Those that give the labels that the first gives; others do something else, so their speed says nothing. */
const alike = async (systems: Systems, bodies: readonly Body[]): Promise<Running[]> => {
  const running: Running[] = [];
  let expected: string[] | undefined;
  for (const one of [...systems.started]) {
    const classify = classifier(one.system, bodies, mostConnections);
    const labels: string[] = [];
    try {
      for (let n = 0; n < bodies.length; n++) labels.push(await classify(n));
    } catch (error) {
      await drop(systems, one, error instanceof Error ? error.message : String(error));
      continue;
    }
    expected ??= labels;
    const at = labels.findIndex((label, n) => label !== expected?.[n]);
    if (at === -1) running.push({ ...one, classify });
    else await drop(systems, one, `says ${labels[at]} of picture ${at}, not ${expected[at]}`);
  }
  return running;
};

const loads = ['saturated', 'alone', 'half', 'most'] as const;
type Load = (typeof loads)[number];
type Rounds = Map<string, Record<Load, Measured[]>>;

const awake = async <T>({ system: { rest } }: Running, work: () => Promise<T>): Promise<T> => {
  rest?.resume();
  try {
    return await work();
  } finally {
    rest?.pause();
  }
};

const measure = async (running: readonly Running[], quick: boolean) => {
  const [rounds, saturatedMs, aloneMs, seconds] = quick ? [1, 1000, 500, 1.5] : [3, 10_000, 3000, 12];
  const measured: Rounds = new Map(
    running.map(({ name }) => [name, { saturated: [], alone: [], half: [], most: [] }]),
  );
  for (const { system } of running) system.rest?.pause();
  for (let round = 0; round < rounds; round++) {
    for (const one of running) {
      const saturate = () => keepBusy(saturating, saturatedMs, one.classify);
      measured.get(one.name)?.saturated.push(await awake(one, saturate));
    }
  }
  const capacities = [...measured.values()].map(({ saturated }) =>
    median(saturated.map(({ perSecond }) => perSecond)),
  );
  const slowest = Math.min(...capacities);
  for (let round = 0; round < rounds; round++) {
    // The same times for all of them.
    const times = {
      half: arrivals(0.5 * slowest, seconds, seeded(round)),
      most: arrivals(0.8 * slowest, seconds, seeded(round)),
    };
    for (const one of running) {
      const of = measured.get(one.name);
      await awake(one, async () => {
        of?.alone.push(await keepBusy(1, aloneMs, one.classify));
        of?.half.push(await arrive(times.half, one.classify));
        of?.most.push(await arrive(times.most, one.classify));
      });
    }
  }
  return { measured, slowest, rounds };
};

/** How the rounds of one system compare with another's: images a second when saturated, else p99. */
const ratio = (
  load: Load,
  ours: readonly Measured[] = [],
  theirs: readonly Measured[] = [],
): number | string => {
  const of = ({ took, perSecond }: Measured): number =>
    load === 'saturated' ? perSecond : percentile(took, 0.99);
  const ratios = ours.flatMap((one, n) => (theirs[n] ? [of(one) / of(theirs[n])] : []));
  return ratios.length > 0 ? rounded(median(ratios), 2) : '';
};

const rowsOf = (measured: Rounds, slowest: number) => {
  const called: Record<Load, string> = {
    saturated: `${saturating} at once`,
    alone: '1 at once',
    half: `${rounded(0.5 * slowest)}/s`,
    most: `${rounded(0.8 * slowest)}/s`,
  };
  return loads.flatMap((load) =>
    [...measured].map(([name, { [load]: all }]) => {
      const p99s = all.map(({ took }) => percentile(took, 0.99));
      const rates = all.map(({ perSecond }) => perSecond);
      return {
        system: name,
        load: called[load],
        'images/s': rounded(median(rates)),
        'p50 ms': rounded(median(all.map(({ took }) => percentile(took, 0.5)))),
        'p99 ms': rounded(median(p99s)),
        rounds: load === 'saturated' ? spread(rates) : spread(p99s),
        'processor ms': rounded(median(all.map(({ cost }) => cost))),
        'serve / it': ratio(load, measured.get(gantryServe.name)?.[load], all),
        'apart / it': ratio(load, measured.get(gantryApart.name)?.[load], all),
      };
    }),
  );
};

export const endToEnd: Benchmark = {
  about:
    'from upload to result, alone and under load, against Celery, LitServe and BentoML with the same model',
  async run(quick) {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const files = await makePictures(folder, quick ? 8 : 40);
    const bodies = forms(await Promise.all(files.map((file) => readFile(file))));
    const systems = await startSystems([gantryServe, gantryApart, celery, litserve, bentoml]);
    try {
      const running = await alike(systems, bodies);
      const { measured, slowest, rounds } = await measure(running, quick);
      return {
        title: `upload to result, ${availableParallelism()} workers each, ${rounds} rounds, medians; ratios are of images/s when saturated, else of p99`,
        rows: [...rowsOf(measured, slowest), ...systems.missing],
      };
    } finally {
      await systems.stop();
      await rm(folder, { recursive: true });
    }
  },
};
