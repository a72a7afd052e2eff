import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePorts } from './free-port.ts';
import { rabbitmqEnvironment, rabbitmqPrograms, writeSettings } from './rabbitmq-settings.ts';

/** A real RabbitMQ of this test's own: own folder, own ports on 127.0.0.1, own Erlang port mapper and cookie. */
export interface RabbitMq {
  /** Of the virtual host `/`, user guest. */
  readonly amqpUrl: string;
  readonly port: number;
  /** Only with the option `tls`. */
  readonly tlsPort: number;
  /** Of the management API, without credentials; the user is guest, the password guest. */
  readonly managementUrl: string;
  /** Of the Prometheus plugin. */
  readonly metricsUrl: string;
  readonly dataDir: string;
  /** Of the Erlang VM that runs now, or ran last. */
  readonly pid: number;
  /** The end of the server's log, for a test's own message. */
  logTail(lines?: number): Promise<string>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM: an orderly stop; resolves when the process is gone. */
  stop(): Promise<void>;
  /** Starts it again, on the same ports and data; resolves when it takes connections. */
  start(): Promise<void>;
  /** Removes what it stored. Only while it is stopped. */
  wipe(): Promise<void>;
  /** Calls the management API; rejects unless the answer is a 2xx. Resolves with the body, parsed. */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Runs rabbitmqctl (1 to 2 s) and resolves with what it wrote. */
  ctl(...args: string[]): Promise<string>;
  /** A fraction of the memory, above which the memory alarm goes off: 0 sets it off, 0.4 is the usual. */
  setMemoryWatermark(fraction: number): Promise<void>;
  /** Kills the server and the port mapper and removes the folder. */
  dispose(): Promise<void>;
}

export interface RabbitMqOptions {
  /** Files in PEM. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** More lines for rabbitmq.conf. */
  readonly config?: readonly string[];
}

/** Why there is no RabbitMQ here, for a test's `skip`; false if there is one. */
export const rabbitMqMissing = (): string | false =>
  rabbitmqPrograms() === undefined
    ? 'the program rabbitmq-server is not installed (Debian: apt-get install rabbitmq-server)'
    : false;

const startLimitMs = 120_000;
const exitOf = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

/** Resolves when the server says that its boot is complete: its listeners come last. */
const booted = async (child: ChildProcess, logTail: () => Promise<string>): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const said: string[] = [];
  const fail = (why: string) => {
    void logTail().then((log) => reject(new Error(`RabbitMQ ${why}:\n${said.join('\n')}\n${log}`)), reject);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (line) => {
      if (said.length < 200) said.push(line);
      if (/completed with \d+ plugins/.test(line)) resolve();
    });
  }
  child.once('error', reject);
  child.once('exit', (code, signal) => fail(`ended with ${code ?? signal} before it was ready`));
  const timer = setTimeout(() => fail('was not ready in time'), startLimitMs);
  await promise.finally(() => clearTimeout(timer));
};

/** Starts RabbitMQ and resolves when it takes connections (about 5 s; 2 s for `start` again on the same data). */
export const startRabbitMq = async (options: RabbitMqOptions = {}): Promise<RabbitMq> => {
  const programs = rabbitmqPrograms();
  if (programs === undefined) throw new Error(String(rabbitMqMissing()));
  const dir = await mkdtemp(join(tmpdir(), 'gantry-rabbitmq-'));
  const [amqp, tls, management, metrics, epmdPort, dist] = (await freePorts(6)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const dataDir = join(dir, 'data');
  const logDir = join(dir, 'log');
  for (const folder of [dataDir, logDir, join(dir, 'home')]) await mkdir(folder);
  await writeSettings(dir, { amqp, tls, management, metrics }, options);
  const env = rabbitmqEnvironment(dir, { epmd: epmdPort, dist });

  const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], { stdio: 'ignore' });
  let server: ChildProcess | undefined;
  // A test run that ends without its `after` hooks must leave no server behind.
  const killBoth = () => {
    server?.kill('SIGKILL');
    epmd.kill('SIGKILL');
  };
  process.on('exit', killBoth);

  const logTail = async (lines = 30): Promise<string> => {
    const files = (await readdir(logDir)).filter(
      (name) => name.endsWith('.log') && !name.includes('upgrade'),
    );
    const texts = await Promise.all(files.map((name) => readFile(join(logDir, name), 'utf8')));
    return texts.join('').trimEnd().split('\n').slice(-lines).join('\n');
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server === undefined) return;
    server.kill(signal);
    await exitOf(server);
  };
  const start = async (): Promise<void> => {
    server = spawn(programs.server, [], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    await booted(server, logTail);
  };
  const dispose = async (): Promise<void> => {
    await end('SIGKILL');
    epmd.kill('SIGKILL');
    await exitOf(epmd);
    process.off('exit', killBoth);
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  const ctl = async (...args: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(programs.ctl, args, { env });
    return stdout;
  };

  try {
    await start();
  } catch (error) {
    await dispose();
    throw error;
  }
  const managementUrl = `http://127.0.0.1:${management}`;
  return {
    amqpUrl: `amqp://guest:guest@127.0.0.1:${amqp}`,
    port: amqp,
    tlsPort: tls,
    managementUrl,
    metricsUrl: `http://127.0.0.1:${metrics}/metrics`,
    dataDir,
    get pid() {
      return server?.pid ?? 0;
    },
    logTail,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    start,
    async wipe() {
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
      await mkdir(dataDir);
    },
    async api(method, path, body) {
      const response = await fetch(`${managementUrl}/api/${path}`, {
        method,
        headers: {
          authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`,
          'content-type': 'application/json',
          // Its server closes idle connections without a word, and a request on one would fail.
          connection: 'close',
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} /api/${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    ctl,
    setMemoryWatermark: async (fraction) => {
      await ctl('set_vm_memory_high_watermark', String(fraction));
    },
    dispose,
  };
};
