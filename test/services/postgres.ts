import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';

/** A PostgreSQL server of one's own on 127.0.0.1, with its data, synced for real, in a temporary folder. */
export interface Postgres {
  readonly port: number;
  /** The postmaster's. */
  readonly pid: number;
  /** Makes an empty database and returns its URL. `definition` is what follows `create database NAME`. */
  createDatabase(definition?: string): Promise<string>;
  /** SIGKILL to the postmaster; resolves when its children are gone too. */
  kill(): Promise<void>;
  /** Stops it, connections and all. */
  stop(): Promise<void>;
  /** Starts it again on the same port, and resolves when it takes connections. */
  start(): Promise<void>;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
}

/** The folder of `initdb` and `postgres`: PG_BIN, the PATH, or where Debian puts them. */
const binaries = (): string | undefined => {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    process.env.PG_BIN ?? '',
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
};

/** Why there can be no server here, for `skip`; false if there can. */
export const postgresMissing: string | false =
  binaries() === undefined && 'PostgreSQL is not installed (initdb and postgres in PATH or PG_BIN)';

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

/** PostgreSQL refuses to run as root. */
const owner = (): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
};

/** Resolves when the server takes connections; from then on its log is thrown away. */
const ready = async (server: ChildProcess): Promise<void> => {
  const { stderr } = server;
  if (!stderr) throw new Error('the server has no log');
  const lines: string[] = [];
  const found = new Promise<void>((resolve, reject) => {
    createInterface(stderr)
      .on('line', (line) => {
        lines.push(line);
        if (line.includes('database system is ready to accept connections')) resolve();
      })
      .once('close', () => reject(new Error(`PostgreSQL has ended:\n${lines.slice(-20).join('\n')}`)));
  });
  await found;
};

/**
 * Starts a server; `settings` are lines for postgresql.conf, and `prepare` is told whom files that they name are to
 * belong to. Throws if PostgreSQL is not installed.
 */
export const startPostgres = async (
  settings: Readonly<Record<string, string>> = {},
  prepare: (owner: { uid: number; gid: number }) => void = () => {},
): Promise<Postgres> => {
  const bin = binaries();
  if (bin === undefined) throw new Error(String(postgresMissing));
  const folder = mkdtempSync(join(tmpdir(), 'gantry-postgres-'));
  const data = join(folder, 'data');
  const user = owner();
  if (user) {
    chownSync(folder, user.uid, user.gid);
    prepare(user);
  }
  const [password, port] = [randomBytes(12).toString('hex'), await freePort()];
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) chownSync(passwordFile, user.uid, user.gid);
  const how = { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const make = ['-D', data, '-U', 'gantry', '-E', 'UTF8', '--locale=C', '-A', 'scram-sha-256'];
  execFileSync(join(bin, 'initdb'), [...make, `--pwfile=${passwordFile}`], { ...how, stdio: 'pipe' });

  const all = {
    ...{ listen_addresses: '127.0.0.1', port: `${port}`, unix_socket_directories: folder },
    ...{ logging_collector: 'off', log_destination: 'stderr', ...settings },
  };
  const parameters = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    server = spawn(join(bin, 'postgres'), ['-D', data, ...parameters], {
      ...how,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await ready(server);
  };
  /** `close` comes when nobody holds the log open any more, which the children do. */
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.kill(signal);
    await closed;
    server = undefined;
  };
  const url = (database: string): string => `postgres://gantry:${password}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  const dispose = async (): Promise<void> => {
    await end('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  return {
    port,
    get pid() {
      return server?.pid ?? Number.NaN;
    },
    async createDatabase(definition = '') {
      const client = new pg.Client(url('postgres'));
      const name = `test_${++databases}`;
      await client.connect();
      try {
        await client.query(`create database ${name} ${definition}`);
      } finally {
        await client.end();
      }
      return url(name);
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGINT'),
    start,
    dispose,
  };
};
