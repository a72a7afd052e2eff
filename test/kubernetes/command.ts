import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where the project's own scripts put the tools that a machine lacks. */
const ownTools = fileURLToPath(new URL('../../node_modules/.cache/gantry/kubernetes/bin', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A command that must succeed did not. `code` is what it was: `missing`, `failed` or `late`. */
export class CommandError extends Error {
  readonly code: 'missing' | 'failed' | 'late';
  constructor(code: CommandError['code'], message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** How a command ended. */
export interface Ended {
  /** Exit code; -1 if a signal ended it. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The tool of PATH, or else the project's own copy. Throws {@link CommandError}: `missing`. */
export const findTool = (name: string): string => {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ownTools]) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {}
  }
  throw new CommandError(
    'missing',
    `${name} is neither in PATH nor in node_modules/.cache/gantry/kubernetes/bin`,
  );
};

const start = (
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv = {},
): ChildProcess => {
  signal.throwIfAborted();
  const env = { ...process.env, ...environment };
  return spawn(file, args, { cwd: root, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
};

const reasonOf = (signal: AbortSignal, error: unknown): unknown =>
  signal.aborted && !(error instanceof CommandError) ? signal.reason : error;

/** Runs a command in the project's folder to its end, whatever its exit code. Throws the signal's reason. */
export const run = async (
  file: string,
  args: readonly string[],
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv = {},
): Promise<Ended> => {
  const child = start(file, args, signal, environment);
  const texts: [string[], string[]] = [[], []];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => texts[0].push(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => texts[1].push(text));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, out: texts[0].join(''), err: texts[1].join('') };
  } catch (error) {
    throw reasonOf(signal, error);
  }
};

const lastLines = (text: string, count: number): string => text.trim().split('\n').slice(-count).join('\n');

/** As {@link run}; returns what it wrote. Throws {@link CommandError} `failed` for any exit code but 0. */
export const must = async (file: string, args: readonly string[], signal: AbortSignal): Promise<string> => {
  const { code, out, err } = await run(file, args, signal);
  if (code === 0) return out;
  const name = file.split('/').at(-1);
  // What it wrote to stdout may be a Secret.
  throw new CommandError('failed', `${name} ${args.join(' ')}: exit code ${code}\n${lastLines(err, 12)}`);
};

/** A command that goes on until the caller lets go of it. */
export interface Following extends AsyncDisposable {
  /** What it writes to stdout, line by line; ends with the command. */
  readonly lines: AsyncIterable<string>;
  /** What it wrote to stderr so far. */
  complaints(): string;
}

/** Starts a command whose lines are read while it runs, such as a watch. */
export const follow = (file: string, args: readonly string[], signal: AbortSignal): Following => {
  const child = start(file, args, signal);
  const errors: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    // Aborting says so here as well, and the signal's reason is told by who waits for a line.
    child.once('error', () => {});
  });
  if (child.stdout === null) throw new CommandError('failed', `${file} has no output`);
  return {
    lines: createInterface(child.stdout),
    complaints: () => errors.join(''),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
};
