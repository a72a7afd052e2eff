import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** What a command wrote, and how it ended. */
export interface Outcome {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves when what it wrote so far, on stdout or stderr, matches. Rejects if it ends before. */
  wrote(pattern: RegExp): Promise<void>;
  readonly ended: Promise<Outcome>;
}

/** Starts a command as a user would. */
export const startCommand = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  program: readonly [string, ...string[]] = [process.execPath, cli],
): Running => {
  const [command, ...first] = program;
  const child = spawn(command, [...first, ...args], { env: { ...process.env, ...env } });
  const written = { out: '', err: '' };
  const news = new EventEmitter();
  const hear = (stream: 'out' | 'err') => (text: string) => {
    written[stream] += text;
    news.emit('text');
  };
  child.stdout.setEncoding('utf8').on('data', hear('out'));
  child.stderr.setEncoding('utf8').on('data', hear('err'));
  const ended = once(child, 'close').then(([code]): Outcome => ({ ...written, code }));
  return {
    process: child,
    ended,
    async wrote(pattern) {
      const over = ended.then(() => 'over' as const);
      while (!pattern.test(written.out) && !pattern.test(written.err)) {
        if ((await Promise.race([once(news, 'text'), over])) !== 'over') continue;
        if (pattern.test(written.out) || pattern.test(written.err)) return;
        throw new Error(`never wrote ${pattern}: ${written.out}${written.err}`);
      }
    },
  };
};

/** Runs a command as a user would, to its end. */
export const gantry = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> => {
  const { process: child, ended } = startCommand(args, env);
  child.stdin.end();
  return ended;
};

/** The same on a terminal, `columns` wide; what it wrote is all in `out`. */
export const gantryOnTerminal = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  columns = 0,
): Promise<Outcome> => {
  const line = [process.execPath, cli, ...args].map((word) => `'${word}'`).join(' ');
  const wide = columns > 0 ? `stty cols ${columns}; ${line}` : line;
  // What a person has there, and not what runs these tests.
  const terminal = { TERM: 'xterm-256color', CI: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined };
  return startCommand(['-qec', wide, '/dev/null'], { ...terminal, ...env }, ['script']).ended;
};
