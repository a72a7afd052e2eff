import { execFileSync } from 'node:child_process';
import { env, execPath } from 'node:process';

/** Runs npm in a folder, the one that runs this script if one does; returns what it wrote. Throws if it fails. */
export const npm = (cwd: string, ...args: readonly string[]): string => {
  const [program, first] = env.npm_execpath ? [execPath, [env.npm_execpath]] : ['npm', []];
  return execFileSync(program, [...first, ...args], { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
};
