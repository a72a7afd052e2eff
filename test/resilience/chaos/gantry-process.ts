import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LogLine } from '../../start-gantry.ts';

const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));

/** One `gantry web` or `gantry consumer`, which can be ended and started again and keeps its address. */
export interface GantryProcess {
  readonly name: string;
  /** Where a web server answers; of a consumer, where its probes do. */
  readonly url: string;
  /** Resolves when it takes requests or jobs. Tries again, and tells, if it ends before. */
  start(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  /** To the process, and to its workers as well if `family`. */
  signal(signal: NodeJS.Signals, family?: boolean): Promise<void>;
  /** Process IDs of its workers. */
  workers(): Promise<number[]>;
}

export interface ProcessOptions {
  readonly name: string;
  readonly command: 'web' | 'consumer';
  readonly env: NodeJS.ProcessEnv;
  /** Everything it writes is appended here. */
  readonly logFile: string;
  readonly onLine: (line: LogLine) => void;
  /** Something that must not happen, whatever the faults. */
  readonly problem: (text: string) => void;
}

const startTries = 5;
const startLimitMs = 60_000;
const exitLimitMs = 60_000;

const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.trim().split(' ').filter(Boolean).map(Number);
};

const parsed = (text: string): LogLine | undefined => {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
};

/** Describes a process; nothing runs before `start`. One that ends unasked is a problem, and is started again. */
export const gantryProcess = (options: ProcessOptions): GantryProcess => {
  const { name, command, env, logFile, onLine, problem } = options;
  let child: ChildProcess | undefined;
  let expectedToEnd = false;
  let port = '0';
  let url = '';

  const spawnOne = async (): Promise<void> => {
    const log = createWriteStream(logFile, { flags: 'a' });
    const portFlag = command === 'web' ? '--port' : '--metrics-port';
    const started = spawn(process.execPath, [cli, command, portFlag, port], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    expectedToEnd = false;
    const ready = Promise.withResolvers<void>();
    let wasReady = false;
    started.stderr.on('data', (text) => log.write(text));
    createInterface(started.stdout).on('line', (text) => {
      log.write(`${text}\n`);
      const line = parsed(text);
      if (line === undefined) {
        problem(`${name} wrote a line that is no JSON: ${text.slice(0, 200)}`);
        return;
      }
      onLine(line);
      if (line.msg !== 'listening' && line.msg !== 'consuming') return;
      url = new URL('/', String(line.url ?? line.metricsUrl)).origin;
      port = new URL(url).port;
      wasReady = true;
      ready.resolve();
    });
    started.once('exit', (code, signal) => {
      log.end();
      ready.reject(new Error(`${name} ended with ${code ?? signal} before it was ready`));
      // Before that it is up to whoever starts it to try again.
      if (!wasReady || expectedToEnd || child !== started) return;
      problem(`${name} ended by itself with ${code ?? signal}`);
      start().catch((error: Error) => problem(error.message));
    });
    const timer = setTimeout(() => {
      ready.reject(new Error(`${name} was not ready within ${startLimitMs} ms`));
      started.kill('SIGKILL');
    }, startLimitMs);
    await ready.promise.finally(() => clearTimeout(timer));
  };

  const start = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await spawnOne();
      } catch (error) {
        problem((error as Error).message);
        if (attempt === startTries) throw error;
        await sleep(1000);
      }
    }
  };

  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const ending = child;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return null;
    expectedToEnd = true;
    const exited = once(ending, 'exit');
    ending.kill(signal);
    const timer = setTimeout(() => {
      problem(`${name} did not end within ${exitLimitMs} ms of ${signal}`);
      ending.kill('SIGKILL');
    }, exitLimitMs);
    const [code] = await exited;
    clearTimeout(timer);
    return code as number | null;
  };

  const workers = async () => (child?.pid === undefined ? [] : childrenOf(child.pid));

  return {
    name,
    get url() {
      return url;
    },
    start,
    async kill() {
      await end('SIGKILL');
    },
    terminate: () => end('SIGTERM'),
    async signal(signal, family = false) {
      const below = family ? await workers() : [];
      child?.kill(signal);
      for (const pid of below) process.kill(pid, signal);
    },
    workers,
  };
};
