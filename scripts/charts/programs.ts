import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL('../../node_modules/.cache/gantry', import.meta.url));

/** Where `helm` or `kubectl` lies: what setup.mjs installed, else whatever PATH has. */
export const kubernetesProgram = (name: 'helm' | 'kubectl'): string => {
  const installed = join(cache, 'kubernetes', 'bin', name);
  return existsSync(installed) ? installed : name;
};

/** Where a program of the Python environment of setup.mjs lies. */
export const pythonProgram = (name: 'python' | 'checkov'): string => join(cache, 'python', 'bin', name);

export type Ended = { code: number | null; output: string; errors: string };

/** Runs a program to its end with `input` on standard input. Throws only if it cannot be started. */
export const runProgram = (
  command: string,
  args: string[],
  input = '',
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env } });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', (cause) =>
      reject(
        Object.assign(
          new Error(`cannot run ${command} (node scripts/setup.mjs charts installs it)`, { cause }),
          {
            code: 'PROGRAM_MISSING',
          },
        ),
      ),
    );
    child.on('close', (code) =>
      resolve({ code, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() }),
    );
    // A program that refuses its arguments does not read what follows.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
