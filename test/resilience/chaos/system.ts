import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Postgres, startPostgres } from '../../services/postgres.ts';
import { type RabbitMq, startRabbitMq } from '../../services/rabbitmq.ts';
import { startProxy, type TcpProxy } from '../../services/tcp-proxy.ts';
import type { LogLine } from '../../start-gantry.ts';
import { type GantryProcess, gantryProcess } from './gantry-process.ts';

/** A consumer, and the proxy through which alone it reaches the broker. */
export interface Consumer {
  readonly process: GantryProcess;
  readonly toBroker: TcpProxy;
}
export interface Web extends Consumer {
  readonly toDatabase: TcpProxy;
  /** Sets its clock so far from the real time (ms). */
  jump(offsetMs: number): Promise<void>;
}

/** Two web servers and two consumers on RabbitMQ and PostgreSQL, all real processes of this machine. */
export interface System {
  readonly webs: readonly Web[];
  readonly consumers: readonly Consumer[];
  readonly rabbit: RabbitMq;
  readonly postgres: Postgres;
  /** Past the proxies. */
  readonly databaseUrl: string;
  readonly imagesDir: string;
  /** Whether the images lie on a file system of their own, small enough to be filled. */
  readonly smallDisk: boolean;
  /** Settings of a command that looks at the whole, past the proxies. */
  readonly env: NodeJS.ProcessEnv;
  /** Where every process's output is kept. */
  readonly logDir: string;
  /** Lines of level warn and above, by message. */
  readonly complaints: ReadonlyMap<string, number>;
  /** Outcomes that came again and changed nothing: work done twice. */
  repeatedOutcomes(): number;
  /** Ends everything. Keeps the logs if told to. */
  dispose(keepLogs: boolean): Promise<void>;
}

/** Where each of them answers. */
export const urlsOf = (nodes: readonly Consumer[]): string[] => nodes.map(({ process }) => process.url);

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const diskBytes = 96 << 20;

/** Shortened, so that a run sees what takes minutes otherwise; everything else is as it is by default. */
const settings = {
  GANTRY_MODEL: file('../../fixtures/models/colours'),
  GANTRY_WORKERS: '1',
  GANTRY_SWEEP_INTERVAL: '2s',
  GANTRY_OVERDUE_AFTER: '10s',
  GANTRY_MIN_FREE_BYTES: '1MB',
  GANTRY_LOG_FORMAT: 'json',
};
/** Of both ends; in seconds. */
export const heartbeat = 5;

const mountSmallDisk = (folder: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const throughProxy = (url: string, { port }: TcpProxy): string => {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
};

/** Starts everything and resolves when all of it is ready. `problem` is told of what no fault may cause. */
export const startSystem = async (problem: (text: string) => void): Promise<System> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-chaos-'));
  const [logDir, imagesDir] = [join(folder, 'logs'), join(folder, 'images')];
  for (const made of [logDir, imagesDir]) mkdirSync(made);
  const smallDisk = mountSmallDisk(imagesDir);
  const [rabbit, postgres] = await Promise.all([startRabbitMq(), startPostgres()]);
  const databaseUrl = await postgres.createDatabase();
  const proxies: TcpProxy[] = [];
  const proxyTo = async ({ port }: { port: number }): Promise<TcpProxy> => {
    const proxy = await startProxy({ host: '127.0.0.1', port });
    proxies.push(proxy);
    return proxy;
  };

  const complaints = new Map<string, number>();
  let repeated = 0;
  const onLine = ({ level, msg, recorded }: LogLine): void => {
    if (recorded === 'repeated') repeated += 1;
    if (['warn', 'error', 'fatal'].includes(level)) complaints.set(msg, (complaints.get(msg) ?? 0) + 1);
  };
  const common = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GANTRY_'))),
    ...settings,
    GANTRY_IMAGES_DIR: imagesDir,
  };
  const brokerUrl = (proxy: TcpProxy): string =>
    `${throughProxy(rabbit.amqpUrl, proxy)}?heartbeat=${heartbeat}`;
  const describe = (name: string, command: 'web' | 'consumer', env: NodeJS.ProcessEnv): GantryProcess =>
    gantryProcess({ name, command, env, logFile: join(logDir, `${name}.log`), onLine, problem });

  const consumer = async (name: string): Promise<Consumer> => {
    const toBroker = await proxyTo(rabbit);
    const env = { ...common, GANTRY_AMQP_URL: brokerUrl(toBroker) };
    return { process: describe(name, 'consumer', env), toBroker };
  };
  const web = async (name: string): Promise<Web> => {
    const [toBroker, toDatabase] = [await proxyTo(rabbit), await proxyTo(postgres)];
    const clockFile = join(folder, `${name}.clock`);
    const process = describe(name, 'web', {
      ...common,
      GANTRY_AMQP_URL: brokerUrl(toBroker),
      GANTRY_DATABASE_URL: throughProxy(databaseUrl, toDatabase),
      NODE_OPTIONS: `--import=${new URL('clock.ts', import.meta.url)}`,
      CHAOS_CLOCK: clockFile,
    });
    const jump = async (offsetMs: number): Promise<void> => {
      await writeFile(clockFile, String(offsetMs));
      await process.signal('SIGUSR2');
    };
    return { process, toBroker, toDatabase, jump };
  };
  const webs = [await web('web-1'), await web('web-2')];
  const consumers = [await consumer('consumer-1'), await consumer('consumer-2')];
  const processes = [...webs, ...consumers].map(({ process }) => process);

  const dispose = async (keepLogs: boolean): Promise<void> => {
    await Promise.all(processes.map((process) => process.kill()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await Promise.all([rabbit.dispose(), postgres.dispose()]);
    if (smallDisk) execFileSync('umount', [imagesDir]);
    if (!keepLogs) rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(processes.map((process) => process.start()));
  } catch (error) {
    await dispose(true);
    throw new Error(`the system did not start; its logs are in ${logDir}`, { cause: error });
  }
  return {
    ...{ webs, consumers, rabbit, postgres, databaseUrl, imagesDir, smallDisk, logDir, complaints, dispose },
    env: { ...common, GANTRY_AMQP_URL: rabbit.amqpUrl, GANTRY_DATABASE_URL: databaseUrl },
    repeatedOutcomes: () => repeated,
  };
};
