import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { workerArguments, workerEnvironment } from '../src/consumer/worker-process.ts';
import type { Loop } from './bare-worker.ts';
import { type Measured, measure } from './load.ts';

const modelDir = fileURLToPath(new URL('../models/pets', import.meta.url));
const script = fileURLToPath(new URL('bare-worker.ts', import.meta.url));

export interface BareLoop {
  /** Sends these files through the model, each process its share. How long each took is not known. */
  run(files: readonly string[]): Promise<Measured>;
  stop(): void;
}

/** A process a core that does nothing but decode and infer: what the machine can do. */
export const startBareLoop = async (loop: Loop): Promise<BareLoop> => {
  const as = { execArgv: workerArguments, env: workerEnvironment(process.env) };
  const children = Array.from({ length: availableParallelism() }, () => fork(script, [modelDir, loop], as));
  await Promise.all(children.map((child) => once(child, 'message')));
  return {
    run: (files) =>
      measure(async () => {
        await Promise.all(
          children.map((child, index) => {
            child.send(files.filter((_, n) => n % children.length === index));
            return once(child, 'message');
          }),
        );
        return files.map(() => Number.NaN);
      }),
    stop() {
      for (const child of children) child.kill();
    },
  };
};
