import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

export interface LogLine {
  readonly msg: string;
  readonly level: string;
  readonly [key: string]: unknown;
}
export interface Gantry {
  /** Of a consumer: where its probes and metrics are. */
  readonly url: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** Every log line so far. */
  readonly logs: LogLine[];
  /** The first line, of those so far and those to come, with this message and these fields. */
  logged(msg: string, fields?: Readonly<Record<string, unknown>>): Promise<LogLine>;
  /** Resolves with the exit code after SIGTERM; removes the data folder unless it was given. */
  stop(): Promise<number | null>;
}

export interface GantryOptions {
  /** Default: serve. */
  readonly role?: 'serve' | 'web' | 'consumer';
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
  readonly dataDir?: string;
}

/**
 * Starts a role as a user would, on a free port, in a new data folder unless one is given. Rejects with what it wrote
 * to stderr if it ends before it listens.
 */
export const startGantry = async (options: GantryOptions = {}): Promise<Gantry> => {
  const { role = 'serve' } = options;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gantry-test-')));
  const port = role === 'consumer' ? '--metrics-port' : '--port';
  const args = [cli, role, port, '0', '--data-dir', dataDir, ...(options.args ?? [])];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, GANTRY_MIN_FREE_BYTES: '1MB', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const logs: LogLine[] = [];
  const written = new EventEmitter();
  const errors: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const exited = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text) as LogLine;
      logs.push(line);
      written.emit('line');
      if (line.msg === 'listening') resolve(String(line.url));
      if (line.msg === 'consuming') resolve(new URL(String(line.metricsUrl)).origin);
    });
    exited.then(([code]) => reject(new Error(`gantry ended with ${code}: ${errors.join('')}`)), reject);
  });
  return {
    url,
    dataDir,
    process: child,
    logs,
    async logged(msg, fields = {}) {
      for (;;) {
        const line = logs.find(
          (one) => one.msg === msg && Object.entries(fields).every(([key, value]) => one[key] === value),
        );
        if (line !== undefined) return line;
        await once(written, 'line');
      }
    },
    async stop() {
      child.kill('SIGTERM');
      const [code] = await exited;
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      return code as number | null;
    },
  };
};
