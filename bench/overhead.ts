import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBareLoop } from './bare-loop.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { classifier, saturating } from './contender.ts';
import { gantryApart, gantryServe } from './gantry-contenders.ts';
import { forms, getThrough, type Measured, median, spread } from './load.ts';
import { makePictures, rounded } from './pictures.ts';
import { startSystems } from './start-systems.ts';

interface Lane {
  readonly name: string;
  run(count: number): Promise<Measured>;
}

const rowOf = (
  name: string,
  rounds: readonly Measured[],
  bare: readonly Measured[],
): Table['rows'][number] => {
  const rates = rounds.map(({ perSecond }) => perSecond);
  const ratios = rates.map((rate, n) => rate / (bare[n]?.perSecond ?? Number.NaN));
  return {
    loop: name,
    'images/s': rounded(median(rates)),
    'of the bare loop': rounded(median(ratios), 2),
    rounds: spread(ratios, 2),
    'processor ms': rounded(median(rounds.map(({ cost }) => cost)), 2),
  };
};

export const overhead: Benchmark = {
  about: 'images a second through the whole pipeline, against bare loops of decode and inference',
  async run(quick) {
    const [count, rounds] = quick ? [100, 1] : [2000, 3];
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const distinct = await makePictures(folder);
    const files = Array.from({ length: count }, (_, n) => distinct[n % distinct.length] ?? '');
    const bodies = forms(await Promise.all(distinct.map((file) => readFile(file))));
    const loops = { plain: await startBareLoop('plain'), bare: await startBareLoop('bare') };
    const systems = await startSystems([gantryServe, gantryApart]);
    const lanes: Lane[] = [
      { name: 'bare loop: decode, thumbnail, inference', run: (n) => loops.bare.run(files.slice(0, n)) },
      { name: 'plain loop: decode, inference', run: (n) => loops.plain.run(files.slice(0, n)) },
      ...systems.started.map(({ name, system }) => {
        const classify = classifier(system, bodies, saturating);
        return { name, run: (n: number) => getThrough(n, saturating, classify) };
      }),
    ];
    const measured = new Map<string, Measured[]>(lanes.map(({ name }) => [name, []]));
    try {
      for (const { run } of lanes) await run(40);
      for (let round = 0; round < rounds; round++)
        for (const { name, run } of lanes) measured.get(name)?.push(await run(count));
    } finally {
      for (const loop of Object.values(loops)) loop.stop();
      await systems.stop();
      await rm(folder, { recursive: true });
    }
    const bare = measured.get(lanes[0]?.name ?? '') ?? [];
    return {
      title: `${count} pictures of 500 x 375, ${availableParallelism()} workers, ${rounds} rounds in turns, medians; the load generator shares the cores`,
      rows: [...[...measured].map(([name, all]) => rowOf(name, all, bare)), ...systems.missing],
    };
  },
};
