import { json } from '../test/acceptance/target.ts';
import { rounded } from './pictures.ts';
import { processorMs } from './processes.ts';
import type { System } from './system.ts';

/** What an image costs a system. */
export interface Cost {
  readonly imagesPerSecond: number;
  /** Processor time (ms) for one image, by part: `web ms`, `consumer ms`, ... */
  readonly perImage: Readonly<Record<string, number>>;
}

const usedBy = async (system: System): Promise<Record<string, number>> =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(await system.parts()).map(async ([part, pids]) => [part, await processorMs(pids)]),
    ),
  );

/** Measures what a system does during `work`, which resolves with the number of images it was about. */
export const costOf = async (system: System, work: () => Promise<number>): Promise<Cost> => {
  const [before, began] = [await usedBy(system), performance.now()];
  const images = await work();
  const seconds = (performance.now() - began) / 1000;
  const perImage = Object.entries(await usedBy(system)).map(([part, ms]) => [
    `${part} ms`,
    rounded((ms - (before[part] ?? 0)) / images, 2),
  ]);
  return { imagesPerSecond: rounded(images / seconds), perImage: Object.fromEntries(perImage) };
};

interface Progress {
  readonly ended: number;
  readonly unfinished: number;
}
const progressOf = async ({ url }: System): Promise<Progress> => {
  const { states, total } = await json<{ states: Record<string, number>; total: number }>(
    await fetch(`${url}/summary`),
  );
  const ended = (states.succeeded ?? 0) + (states.failed ?? 0) + (states.dead ?? 0);
  return { ended, unfinished: total - ended };
};

/** How many images have ended so far. */
export const endedOf = async (system: System): Promise<number> => (await progressOf(system)).ended;

const lookEveryMs = 100;

/**
 * Resolves as soon as `count` more images than `before` have ended, with how many they are by then. Rejects if no image
 * is left before that: the backlog was too small for the speed.
 */
export const endedSince = async (system: System, before: number, count: number): Promise<number> => {
  for (;;) {
    const { ended, unfinished } = await progressOf(system);
    if (ended - before >= count) return ended - before;
    if (unfinished === 0) throw new Error(`only ${ended - before} of ${count} images were left to measure`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
};
