import { accessSync, constants, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import type { RabbitMqOptions } from './rabbitmq.ts';

const runnable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
const inPath = (name: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/lib/rabbitmq/bin']
    .map((folder) => join(folder, name))
    .find(runnable);

/** Where the server and its control program are, if they are installed. */
export const rabbitmqPrograms = (): { server: string; ctl: string } | undefined => {
  const found = inPath('rabbitmq-server');
  if (found === undefined) return undefined;
  const real = realpathSync(found);
  // Debian's wrapper switches to the user rabbitmq and its home; the program itself stands beside it.
  const folder = basename(real) === 'rabbitmq-script-wrapper' ? dirname(real) : dirname(found);
  return { server: join(folder, 'rabbitmq-server'), ctl: join(folder, 'rabbitmqctl') };
};

/** Writes rabbitmq.conf and its companions into `dir`. */
export const writeSettings = async (
  dir: string,
  ports: { amqp: number; tls: number; management: number; metrics: number },
  { tls, config = [] }: RabbitMqOptions,
): Promise<void> => {
  const lines = [
    `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${ports.management}`,
    // Counts of waiting messages are as old as this (ms).
    'collect_statistics_interval = 1000',
    'prometheus.tcp.ip = 127.0.0.1',
    `prometheus.tcp.port = ${ports.metrics}`,
    'disk_free_limit.absolute = 50MB',
    // 512 MB otherwise: of the disk, and of the memory when it starts again.
    'raft.wal_max_size_bytes = 33554432',
    ...config,
  ];
  if (tls !== undefined) {
    lines.push(
      `listeners.ssl.1 = 127.0.0.1:${ports.tls}`,
      `ssl_options.cacertfile = ${tls.ca}`,
      `ssl_options.certfile = ${tls.cert}`,
      `ssl_options.keyfile = ${tls.key}`,
      'ssl_options.verify = verify_none',
    );
  }
  await writeFile(join(dir, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
  await writeFile(join(dir, 'enabled_plugins'), '[rabbitmq_management,rabbitmq_prometheus].\n');
  await writeFile(join(dir, 'rabbitmq-env.conf'), '');
};

/** The environment of the server and of its control program. */
export const rabbitmqEnvironment = (
  dir: string,
  ports: { epmd: number; dist: number },
): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  LANG: 'C.UTF-8',
  // Where the Erlang cookie lies.
  HOME: join(dir, 'home'),
  ERL_EPMD_PORT: String(ports.epmd),
  ERL_EPMD_ADDRESS: '127.0.0.1',
  // The node's name is part of its data folder's.
  RABBITMQ_NODENAME: `gantry${ports.dist}@localhost`,
  RABBITMQ_DIST_PORT: String(ports.dist),
  RABBITMQ_MNESIA_BASE: join(dir, 'data'),
  RABBITMQ_LOG_BASE: join(dir, 'log'),
  RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
  // Also keeps the machine's own settings out.
  RABBITMQ_CONF_ENV_FILE: join(dir, 'rabbitmq-env.conf'),
  // Otherwise in the folder that it was started from.
  ERL_CRASH_DUMP: join(dir, 'log', 'erl_crash.dump'),
  // The start script then becomes the Erlang VM instead of its parent, so a signal to it reaches the VM.
  RUNNING_UNDER_SYSTEMD: 'true',
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
    // One scheduler that does not spin: servers of several test files share the machine.
    '+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none',
    '-kernel inet_dist_use_interface {127,0,0,1}',
  ].join(' '),
});
