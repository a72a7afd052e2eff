import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from './free-port.ts';
import { findProgram } from './program.ts';

/** A real S3 server of this test's own (Versity S3 Gateway): own folder, own port on 127.0.0.1. */
export interface S3Server {
  readonly endpoint: string;
  readonly port: number;
  /** Of the buckets, which to this server are folders, and objects files. */
  readonly dir: string;
  /** What a program needs to be let in: the variables of the AWS default chain. */
  readonly env: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** A new, empty bucket, as a URL such as `s3://bucket-1`. */
  bucket(): Promise<string>;
  /** Takes a bucket away, with all that is in it. */
  removeBucket(url: string): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and data; resolves when it takes connections. */
  start(): Promise<void>;
  /** Kills the server and removes the folder. */
  dispose(): Promise<void>;
}

const program = (): string | undefined => findProgram('versitygw', 'VERSITYGW_PATH');

/** Why there is no S3 server here, for a test's `skip`; false if there is one. */
export const s3Missing = (): string | false =>
  program() === undefined
    ? 'versitygw is not installed (go install github.com/versity/versitygw/cmd/versitygw@latest; VERSITYGW_PATH says where it is)'
    : false;

const startLimitMs = 30_000;

/** Resolves when the server says that it listens. */
const listening = async (child: ChildProcess): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const said: string[] = [];
  const fail = (why: string) => reject(new Error(`versitygw ${why}:\n${said.join('\n')}`));
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (line) => {
      if (said.length < 50) said.push(line);
      if (line.includes('service listening on')) resolve();
    });
  }
  child.once('error', reject);
  child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
  const timer = setTimeout(() => fail('was not ready in time'), startLimitMs);
  await promise.finally(() => clearTimeout(timer));
};

/** Starts the server and resolves when it takes connections (well below a second). */
export const startS3 = async (): Promise<S3Server> => {
  const binary = program();
  if (binary === undefined) throw new Error(String(s3Missing()));
  const dir = await mkdtemp(join(tmpdir(), 'gantry-s3-'));
  const root = join(dir, 'buckets');
  const sidecar = join(dir, 'metadata');
  for (const folder of [root, sidecar]) await mkdir(folder);
  const [port = 0] = await freePorts(1);
  const env = {
    AWS_ACCESS_KEY_ID: `test${randomBytes(8).toString('hex')}`,
    AWS_SECRET_ACCESS_KEY: randomBytes(20).toString('hex'),
  };
  let server: ChildProcess | undefined;
  let buckets = 0;
  // A test run that ends without its `after` hooks must leave no server behind.
  const killNow = () => void server?.kill('SIGKILL');
  process.on('exit', killNow);

  const start = async (): Promise<void> => {
    // Keep-alive, as every S3 service has it. Metadata beside the files: a folder below /tmp may take no attributes.
    const args = ['--port', `127.0.0.1:${port}`, '--keep-alive', 'posix', '--sidecar', sidecar, root];
    server = spawn(binary, args, {
      cwd: dir,
      env: { ROOT_ACCESS_KEY: env.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: env.AWS_SECRET_ACCESS_KEY },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await listening(server);
  };
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  const dispose = async (): Promise<void> => {
    await kill();
    process.off('exit', killNow);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    dir: root,
    env,
    async bucket() {
      const name = `bucket-${++buckets}`;
      await mkdir(join(root, name));
      return `s3://${name}`;
    },
    removeBucket: (url) => rm(join(root, new URL(url).host), { recursive: true }),
    kill,
    start,
    dispose,
  };
};
