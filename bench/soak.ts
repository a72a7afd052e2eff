import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGantry } from '../test/start-gantry.ts';
import type { Benchmark } from './benchmark.ts';
import { classifier } from './contender.ts';
import { gantrySystem } from './gantry-contenders.ts';
import { forms, getThrough } from './load.ts';
import { makePictures, rounded } from './pictures.ts';
import { descendantsOf, residentMiB } from './processes.ts';

/** The slope of the line nearest to the points (x, y), by least squares. */
const slopeOf = (points: readonly (readonly [number, number])[]): number => {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
};

const connections = 16;

export const soak: Benchmark = {
  about: 'memory of every process of gantry serve over 50,000 images (takes 5 to 40 minutes)',
  async run(quick) {
    const [chunk, chunks] = quick ? [40, 5] : [2_500, 20];
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const files = await makePictures(folder);
    const bodies = forms(await Promise.all(files.map((file) => readFile(file))));
    const server = await startGantry();
    const system = await gantrySystem(server, server.stop);
    const classify = classifier(system, bodies, connections);
    const seen = new Map<number, [number, number][]>();
    const rates: number[] = [];
    const serverPid = server.process.pid ?? 0;
    try {
      for (let n = 1; n <= chunks; n++) {
        rates.push((await getThrough(chunk, connections, classify)).perSecond);
        for (const pid of [serverPid, ...(await descendantsOf(serverPid))]) {
          const points = seen.get(pid) ?? [];
          points.push([n * chunk, await residentMiB(pid)]);
          seen.set(pid, points);
        }
      }
    } finally {
      await system.stop();
      await rm(folder, { recursive: true });
    }
    const rows = [...seen].map(([pid, points]) => {
      // What it takes to get warm is no leak.
      const second = points.slice(Math.floor(points.length / 2));
      return {
        process: pid === serverPid ? 'server' : `worker ${pid}`,
        'MiB at first': points[0]?.[1] ?? Number.NaN,
        'MiB at half': second[0]?.[1] ?? Number.NaN,
        'MiB at last': points.at(-1)?.[1] ?? Number.NaN,
        'slope of the second half, MiB per 10,000 images': rounded(slopeOf(second) * 10_000, 2),
      };
    });
    const speed = `${rounded(rates[0] ?? Number.NaN)} images/s at first, ${rounded(rates.at(-1) ?? Number.NaN)} at last`;
    return { title: `${chunk * chunks} pictures of 500 x 375 through gantry serve; ${speed}`, rows };
  },
};
