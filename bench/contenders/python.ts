import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const environment = fileURLToPath(new URL('../../node_modules/.cache/gantry/contenders', import.meta.url));

const run = async (command: string, args: readonly string[]): Promise<void> => {
  try {
    await promisify(execFile)(command, args);
  } catch (cause) {
    const { stderr = '', message } = cause as { stderr?: string; message: string };
    const why = stderr.trim().split('\n').at(-1) || message;
    throw new Error(`${command} ${args.slice(0, 3).join(' ')} failed: ${why.slice(0, 300)}`, { cause });
  }
};

const install = async (): Promise<void> => {
  const requirements = join(here, 'requirements.txt');
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const stamp = join(environment, 'installed');
  const python = join(environment, 'bin', 'python');
  if (existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  await rm(environment, { recursive: true, force: true });
  process.stderr.write('installing the contenders (a minute) ...\n');
  await run('python3', ['-m', 'venv', environment]);
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
  await run(python, ['-m', 'pip', 'install', ...options, '--requirement', requirements]);
  await writeFile(stamp, key);
};

let installing: Promise<void> | undefined;

/**
 * Installs the packages in requirements.txt into an environment of their own, if that has not been done. Rejects, in
 * one line, if Python cannot make one or a package cannot be had.
 */
export const installContenders = (): Promise<void> => {
  installing ??= install();
  return installing;
};

export interface PythonProcess {
  readonly pid: number;
  /** Where the process may write. */
  readonly folder: string;
  /** Resolves when the port takes connections; rejects if the process ends first. */
  listening(port: number): Promise<void>;
  /** Takes the processor from it and its children, until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends it and its children; resolves when they are gone. */
  stop(): Promise<void>;
}

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    const answer = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });

const stopLimitMs = 10_000;

/** The group, as the servers have children of their own. */
const signal = ({ pid = 0 }: ChildProcess, name: NodeJS.Signals): void => {
  try {
    process.kill(-pid, name);
  } catch {
    // They have all ended.
  }
};

/** Runs one of the programs installed, such as `uvicorn`, so that it finds the modules of this folder. */
export const startPython = async (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<PythonProcess> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-contender-'));
  const child = spawn(join(environment, 'bin', program), args, {
    cwd: folder,
    detached: true,
    env: {
      ...process.env,
      HOME: folder,
      IMAGES_DIR: folder,
      PYTHONPATH: here,
      PYTHONDONTWRITEBYTECODE: '1',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const exited = once(child, 'exit');
  const killNow = (): void => signal(child, 'SIGKILL');
  process.on('exit', killNow);
  return {
    pid: child.pid ?? 0,
    folder,
    async listening(port) {
      while (!(await takesConnections(port))) {
        if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: ${said}`);
        await sleep(100);
      }
    },
    pause: () => signal(child, 'SIGSTOP'),
    resume: () => signal(child, 'SIGCONT'),
    async stop() {
      signal(child, 'SIGCONT');
      signal(child, 'SIGTERM');
      await Promise.race([exited, sleep(stopLimitMs, undefined, { ref: false })]);
      killNow();
      await exited;
      process.off('exit', killNow);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};
