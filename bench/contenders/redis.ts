import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '../../test/services/free-port.ts';
import { findProgram } from '../../test/services/program.ts';

const program = (): string | undefined => findProgram('redis-server', 'REDIS_SERVER');

/** Celery's results lie there; nothing of Gantry needs it, so the tests' own set-up does not bring it. */
const install = (): void => {
  const options = ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'];
  // Debian starts what it installs, unless the machine seems to be in single-user mode.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  if (process.getuid?.() === 0) {
    spawnSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
    spawnSync('apt-get', options, { env, stdio: 'ignore' });
  }
  if (program() === undefined) {
    throw new Error('Celery keeps its results in Redis; install with: sudo apt-get install redis-server');
  }
};

/** A Redis of one's own on 127.0.0.1, as it comes. Throws if there is none and it cannot be installed. */
export const startRedis = async (): Promise<{ url: string; stop(): Promise<void> }> => {
  if (program() === undefined) install();
  const folder = await mkdtemp(join(tmpdir(), 'gantry-redis-'));
  const [port] = await freePorts(1);
  const server = spawn(program() ?? '', ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder]);
  const killNow = (): void => void server.kill('SIGKILL');
  process.on('exit', killNow);
  const exited = once(server, 'exit');
  await new Promise<void>((resolve, reject) => {
    createInterface(server.stdout).on('line', (line) => {
      if (line.includes('Ready to accept connections')) resolve();
    });
    exited.then(([code]) => reject(new Error(`Redis ended with ${code}`)), reject);
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      killNow();
      await exited;
      process.off('exit', killNow);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
