import { setTimeout as pause } from 'node:timers/promises';
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import type { Logger } from '../observability/log.ts';
import type { Differences } from './differences.ts';
import { checkSchema, migrate } from './migrations/migrations.ts';
import { guarded } from './postgres-calls.ts';
import { openChanges } from './postgres-changes.ts';
import { clientConfig, type Limits, openPool } from './postgres-pool.ts';
import { declareConstant } from './postgres-statements.ts';
import type { PostgresAddress } from './postgres-url.ts';
import type { Db, Tables } from './schema.ts';
import { sqlStore } from './sql.ts';
import { type Store, StoreError } from './store.ts';

export interface PostgresOptions extends PostgresAddress {
  /** Most connections at a time; one more listens for changes. */
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly log?: Pick<Logger, 'info' | 'warn'>;
  /** Whether to bring the schema up to date (the default) or only to check that it is. */
  readonly migrate?: boolean;
}

/** Any number that no other user of the same database takes for an advisory lock. */
const eventOrderLock = 0x67616e74;
const orderEvents = `select pg_advisory_xact_lock(${eventOrderLock})`;
declareConstant(orderEvents, true);

/**
 * A batch is thought to be of a hundred rows, for which some thousand images would be read from the first to the last,
 * with each outcome.
 */
const planByIndex = `select ${['seqscan', 'hashjoin', 'mergejoin']
  .map((way) => `set_config('enable_${way}', 'off', true)`)
  .join(', ')}`;
declareConstant(planByIndex, true);

export const postgres: Differences = {
  columns: {
    bytes: 'bytea',
    sequence: 'bigint',
    asSequence: (column) => column.primaryKey().generatedAlwaysAsIdentity(),
    async compareBytewise(db, columns) {
      for (const [table, names] of Object.entries(columns)) {
        const changes = names.map((name) => sql`alter column ${sql.id(name)} type text collate "C"`);
        await sql`alter table ${sql.id(table)} ${sql.join(changes)}`.execute(db);
      }
    },
  },
  maxParameters: 32_000,
  concurrentWriters: true,
  input: (columns) => {
    const typed = Object.entries(columns).map(
      ([name, kind]) => `${name} ${kind === 'text' ? 'text' : 'bigint'}`,
    );
    return `json_to_recordset($1::json) as input (${typed.join(', ')})`;
  },
  parameter: (n) => `$${n}`,
  constant: declareConstant,
  contains: (column, text) => sql<boolean>`strpos(${column}, ${text}) > 0`,
  lookUpByIndex: async (trx) => {
    await trx.executeQuery(CompiledQuery.raw(planByIndex));
  },
  // Held until the commit is visible: whoever takes the next numbers commits later.
  orderEvents: async (trx) => {
    await trx.executeQuery(CompiledQuery.raw(orderEvents));
  },
};

/** What the promises of the port rest on. */
const checkServer = async (db: Db, log: PostgresOptions['log']): Promise<string | undefined> => {
  const { rows } = await sql<Record<'encoding' | 'fsync' | 'commit' | 'schema', string>>`
    select current_setting('server_encoding') as encoding, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as commit, current_schema() as schema
  `.execute(db);
  const [server] = rows;
  if (server?.encoding !== 'UTF8')
    throw new StoreError('failed', `PostgreSQL: the database's encoding is ${server?.encoding}, not UTF8`);
  if (server.fsync === 'off' || server.commit === 'off')
    log?.warn(
      { fsync: server.fsync, synchronous_commit: server.commit },
      'PostgreSQL may lose what it confirmed',
    );
  return server.schema;
};

/**
 * How long a migration waits for a table that somebody has in use: whoever wants it after us waits behind us, so that the
 * end of a backup would be waited for by every request.
 */
const migrationLockMs = 2_000;
/** Lets those through who have waited. */
const betweenMigrationsMs = 2_000;

/** Brings the schema up to date as soon as nobody has a table in use that changes. */
const migrateBetween = async (db: Db, schema: string | undefined, log: PostgresOptions['log']) => {
  for (let told = false; ; told = true) {
    try {
      return await migrate(db, postgres.columns, schema);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'busy')) throw error;
      const reason = 'a table is in use, or another process is at it';
      if (!told) log?.warn({ err: error }, `the schema cannot be changed yet: ${reason}; it is tried again`);
    }
    await pause(betweenMigrationsMs);
  }
};

/**
 * The store in a PostgreSQL database (15 or later, UTF8), which any number of processes may share. Connects at once.
 * Throws StoreError: `unavailable`, `refused`, `newer-schema`, `failed`; never with the password in it.
 */
export const openPostgresStore = async (options: PostgresOptions): Promise<Store> => {
  const { poolSize, statementTimeoutMs, log } = options;
  const connect = (size: number, limits: Limits): Db =>
    new Kysely<Tables>({ dialect: new PostgresDialect({ pool: openPool(options, size, limits) }) });

  // A migration takes as long as it takes, and so does the wait for another process that is at it.
  const first = connect(1, { statementTimeoutMs: 0, lockTimeoutMs: migrationLockMs });
  try {
    const schema = await checkServer(first, log);
    if (options.migrate === false) await checkSchema(first, postgres.columns, schema);
    else await migrateBetween(first, schema, log);
  } finally {
    await first.destroy();
  }

  const db = connect(poolSize, { statementTimeoutMs });
  const changes = openChanges(() => clientConfig(options, { statementTimeoutMs }), log);
  const close = async (): Promise<void> => {
    await changes.close();
    await db.destroy();
  };
  const store = sqlStore({ db, differences: postgres }, { onChange: changes.onChange, close });
  return guarded(store, changes.announce);
};
