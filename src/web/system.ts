import { type Static, Type } from 'typebox';
import type { Blobs } from '../blobs/blobs.ts';
import type { Broker } from '../broker/broker.ts';
import { topology } from '../broker/topology.ts';
import type { Config } from '../config.ts';
import { Nullable } from '../pipeline/image.ts';
import { acceptedTypes } from '../pipeline/image-type.ts';
import type { Store } from '../store/store.ts';
import { within } from '../within.ts';
import { cached } from './cached.ts';
import { ModelInfo } from './model-info.ts';

const Queue = Type.Object({
  name: Type.String(),
  ready: Type.Integer({ description: 'Messages that wait' }),
  consumers: Nullable(Type.Integer()),
});

export const System = Type.Object({
  version: Type.String({ description: "Gantry's" }),
  node: Type.String({ description: "Node.js's version" }),
  startedAt: Type.String({ format: 'date-time', description: 'When this process began' }),
  role: Type.Enum(['serve', 'web']),
  store: Type.Object({ kind: Type.Enum(['sqlite', 'postgres']) }),
  blobs: Type.Object({
    kind: Type.Enum(['filesystem', 's3']),
    freeBytes: Nullable(Type.Integer({ description: 'null where it has no end, or while it is away' })),
  }),
  broker: Type.Object({
    kind: Type.Enum(['memory', 'rabbitmq']),
    connected: Type.Boolean(),
    queues: Nullable(Type.Array(Queue), 'null while the broker is away'),
  }),
  outbox: Type.Object(
    {
      rows: Nullable(Type.Integer(), 'null while the store is away'),
      oldestAt: Nullable(Type.String({ format: 'date-time' })),
    },
    { description: 'Jobs that the broker has not confirmed' },
  ),
  limits: Type.Object({
    maxFileBytes: Type.Integer(),
    maxFiles: Type.Integer({ description: 'In one upload request' }),
    acceptedTypes: Type.Array(Type.String()),
  }),
  models: Type.Array(ModelInfo),
  access: Type.Object({ keys: Type.Boolean({ description: 'Whether an API key is needed' }) }),
});
/** What runs here, and how it is. */
export type System = Static<typeof System>;

export interface SystemParts {
  readonly config: Config;
  readonly role: System['role'];
  readonly version: string;
  readonly models: readonly ModelInfo[];
  readonly store: Store;
  readonly blobs: Blobs;
  readonly broker: Broker;
  /** Whether an API key is needed. */
  readonly keys: boolean;
}

/** A page is to show at once what is known: whoever has not answered by then (ms) counts as away. */
const limitMs = 1_000;
/** Every open page asks again and again. */
const freshMs = 1_000;

const queuesOf = async (broker: Broker): Promise<System['broker']['queues']> => {
  // Asking would wait for the connection.
  if (!broker.isConnected()) return null;
  const answers = await Promise.allSettled(
    topology.map(async ({ name }) => {
      const { ready, consumers } = await within(broker.status(name), limitMs);
      return { name, ready, consumers };
    }),
  );
  const queues = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return queues.length > 0 ? queues : null;
};

/** What runs here and how it is, one second old at most. Never rejects: what does not answer within a second is null. */
export const createSystem = (parts: SystemParts): (() => Promise<System>) => {
  const { config, role, version, models, store, blobs, broker, keys } = parts;
  const { maxFileBytes, maxFiles } = config;
  const orElse = <T, E>(answer: Promise<T>, otherwise: E): Promise<T | E> =>
    within(answer, limitMs).catch(() => otherwise);
  return cached(async () => {
    const [outstanding, freeBytes, queues] = await Promise.all([
      orElse(store.outstanding(), undefined),
      orElse(blobs.freeBytes(), undefined),
      queuesOf(broker),
    ]);
    return {
      version,
      node: process.versions.node,
      startedAt: new Date(performance.timeOrigin).toISOString(),
      role,
      store: { kind: config.databaseUrl === undefined ? 'sqlite' : 'postgres' },
      blobs: { kind: config.s3Url === undefined ? 'filesystem' : 's3', freeBytes: freeBytes ?? null },
      broker: {
        kind: config.amqpUrl === undefined ? 'memory' : 'rabbitmq',
        connected: broker.isConnected(),
        queues,
      },
      outbox: { rows: outstanding?.outbox ?? null, oldestAt: outstanding?.oldestOutboxAt ?? null },
      limits: { maxFileBytes, maxFiles, acceptedTypes: [...acceptedTypes] },
      models: [...models],
      access: { keys },
    };
  }, freshMs);
};
