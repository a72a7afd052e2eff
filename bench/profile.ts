import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGantry } from '../test/start-gantry.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { classifier, saturating } from './contender.ts';
import { byPart, type Frame, readProfile } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { gantrySystem } from './gantry-contenders.ts';
import { forms, getThrough } from './load.ts';
import { makePictures, rounded } from './pictures.ts';

const target = fileURLToPath(new URL('profiles/', import.meta.url));

/** What only one of the processes runs. */
const roles = [
  { role: 'server', runs: 'src/web' },
  { role: 'worker', runs: 'src/classifier' },
];

const runs = (frame: Frame, part: string): boolean =>
  (frame.part === part && frame.selfMs > 0) || frame.children.some((child) => runs(child, part));

/** Keeps the profile of the role that has most work in it, drawn beside it; says where its time went. */
const report = async (
  profiles: readonly { file: string; all: Frame }[],
  { role, runs: part }: (typeof roles)[number],
): Promise<Table['rows']> => {
  const its = profiles.filter(({ all }) => runs(all, part));
  const [busiest] = its.sort((a, b) => b.all.totalMs - a.all.totalMs);
  if (busiest === undefined) throw new Error(`no profile of a ${role} was written`);
  const { file, all } = busiest;
  await copyFile(file, join(target, `${role}.cpuprofile`));
  await writeFile(join(target, `${role}.svg`), flameGraph(all, `gantry serve under load: the ${role}`));
  return byPart(all)
    .slice(0, 8)
    .map(([where, ms]) => ({ process: role, where, '% of its time': rounded((100 * ms) / all.totalMs) }));
};

export const profile: Benchmark = {
  about: 'where the time goes in gantry serve under load: flame graphs of the server and of a worker',
  async run(quick) {
    const pictures = quick ? 200 : 3_000;
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    try {
      const bodies = forms(await Promise.all((await makePictures(folder)).map((file) => readFile(file))));
      const written = await mkdtemp(join(folder, 'profiles-'));
      const env = { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${written}` };
      const server = await startGantry({ env, args: ['--workers', `${availableParallelism()}`] });
      const system = await gantrySystem(server, server.stop);
      const classify = classifier(system, bodies, saturating);
      let began = 0;
      try {
        await getThrough(pictures / 5, saturating, classify);
        began = performance.now();
        await getThrough(pictures, saturating, classify);
      } finally {
        await system.stop();
      }
      const lastMs = performance.now() - began;
      const files = (await readdir(written)).map((name) => join(written, name));
      const profiles = await Promise.all(
        files.map(async (file) => ({ file, all: await readProfile(file, lastMs) })),
      );
      await mkdir(target, { recursive: true });
      const rows = [];
      for (const role of roles) rows.push(...(await report(profiles, role)));
      const where = relative(process.cwd(), target);
      const title = `${pictures} pictures; flame graphs are in ${where}, as SVG and for a browser's DevTools (*.cpuprofile)`;
      return { title, rows };
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};
