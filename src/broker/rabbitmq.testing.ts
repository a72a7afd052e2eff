import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type RabbitMq, type RabbitMqOptions, startRabbitMq } from '../../test/services/rabbitmq.ts';
import { eventually } from './broker.probe.ts';
import type { Broker } from './broker.ts';
import { type RabbitmqOptions, rabbitmqBroker } from './rabbitmq.ts';

/** What a broker under test told its log. */
export interface TestLog {
  readonly lines: {
    readonly level: 'info' | 'warn';
    readonly msg: string;
    readonly [field: string]: unknown;
  }[];
  readonly info: RabbitmqOptions['log']['info'];
  readonly warn: RabbitmqOptions['log']['warn'];
}

export const testLog = (): TestLog => {
  const lines: TestLog['lines'] = [];
  const at =
    (level: 'info' | 'warn') =>
    (...[context, msg]: unknown[]) => {
      lines.push(
        typeof context === 'string'
          ? { level, msg: context }
          : { ...(context as object), level, msg: String(msg) },
      );
    };
  return { lines, info: at('info'), warn: at('warn') };
};

export interface VirtualHost {
  readonly name: string;
  readonly url: string;
  remove(): Promise<void>;
}

/** What the cases of the RabbitMQ adapter share. */
export interface Bench {
  server(): Promise<RabbitMq>;
  /** A virtual host: as good as a broker of its own, in 0.1 s. */
  virtualHost(): Promise<VirtualHost>;
}

/** One server for a test file, started when it is first asked for and removed after the file's last test. */
export const benchForFile = (prepare: () => Promise<RabbitMqOptions>): Bench => {
  let started: Promise<RabbitMq> | undefined;
  const server = (): Promise<RabbitMq> => {
    started ??= prepare().then(startRabbitMq);
    return started;
  };
  after(async () => {
    await (await started)?.dispose();
  });
  return {
    server,
    async virtualHost() {
      const rabbit = await server();
      const name = randomUUID();
      await rabbit.api('PUT', `vhosts/${name}`);
      const remove = async () => {
        await rabbit.api('DELETE', `vhosts/${name}`);
      };
      return { name, url: `${rabbit.amqpUrl}/${name}`, remove };
    },
  };
};

/** A broker that declares, unless told otherwise; closed after the test. */
export const openBroker = (
  t: Pick<TestContext, 'after'>,
  url: string,
  options: Partial<RabbitmqOptions> = {},
): { broker: Broker; log: TestLog; settled: () => Promise<void> } => {
  const log = testLog();
  const broker = rabbitmqBroker({ url, declare: true, name: 'gantry test', log, ...options });
  t.after(() => broker.close());
  /** Both connections are made: no more looks at the queues without a reason. */
  const settled = () =>
    eventually('both connections', async () => {
      const made = log.lines.filter(({ msg }) => msg === 'broker connected');
      return made.length === 2;
    });
  return { broker, log, settled };
};

/** The broker can publish. */
export const connected = (broker: Broker): Promise<void> =>
  eventually('a connection', async () => broker.isConnected());

export interface Certificates {
  /** Files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  remove(): Promise<void>;
}

/** A certificate authority, and a certificate of it for localhost (not for 127.0.0.1). */
export const makeCertificates = async (): Promise<Certificates> => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-certificates-'));
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { cwd: dir });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await openssl('req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test CA');
  await openssl('req', ...curve, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  await writeFile(join(dir, 'names'), 'subjectAltName=DNS:localhost');
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
  await openssl('x509', '-req', '-in', 'server.csr', '-out', 'server.pem', ...signed);
  return {
    ca: join(dir, 'ca.pem'),
    cert: join(dir, 'server.pem'),
    key: join(dir, 'server.key'),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
};
