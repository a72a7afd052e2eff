import { Kysely, SqliteAdapter, SqliteDialect, sql } from 'kysely';
import type { Differences } from './differences.ts';
import { migrate, migrationsBeyond } from './migrations/migrations.ts';
import type { Tables } from './schema.ts';
import { sqlStore } from './sql.ts';
import { type Database, openDatabase } from './sqlite-database.ts';
import { openSqliteSource } from './sqlite-source.ts';
import type { Store } from './store.ts';

/** Kysely assumes that SQLite cannot roll back DDL. It can, so a crash leaves no half of a migration. */
class TransactionalDdl extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

const sqlite: Differences = {
  columns: {
    bytes: 'blob',
    sequence: 'integer',
    asSequence: (column) => column.primaryKey().autoIncrement(),
    compareBytewise: async () => {},
  },
  maxParameters: 32_000,
  concurrentWriters: false,
  input: (columns) => {
    const values = Object.keys(columns).map((name) => `value ->> '${name}' as ${name}`);
    // json_each would write each row as text again for every one of its columns.
    return `(select ${values.join(', ')} from jsonb_each(?)) as input`;
  },
  parameter: () => '?',
  // Texts are what statements are kept by.
  constant: () => {},
  contains: (column, text) => sql<boolean>`instr(${column}, ${text}) > 0`,
  lookUpByIndex: async () => {},
  orderEvents: async () => {},
};

/** How long a call waits, and with it the process, for another process that writes to the same file. */
const busyTimeoutMs = 5_000;

/**
 * The store in one SQLite file, created if missing; its folder must exist. Once a process and file: a call that
 * waits for another process blocks the thread, so two stores on one thread would wait for each other. Throws
 * StoreError: `unwritable`, `corrupt`, `newer-schema`, `busy`. `sole`: no other server is at work on the file, so
 * whoever held back outbox rows is gone, and they are due.
 */
export const openSqliteStore = async (file: string, { sole = false } = {}): Promise<Store> =>
  sqliteStore(openDatabase(file, busyTimeoutMs), { sole });

/**
 * The store, each call of which resolves once all that it has written or seen is on the disk. Meanwhile others go on, and
 * the next sync is for all of them.
 */
const durable = (store: Store, synced: () => Promise<void>): Store => {
  const { onChange, close, ...calls } = store;
  const durableCalls = Object.entries(calls).map(([name, call]) => [
    name,
    async (...args: never[]) => {
      const answer = await (call as (...args: never[]) => Promise<unknown>)(...args);
      await synced();
      return answer;
    },
  ]);
  return { ...(Object.fromEntries(durableCalls) as typeof calls), onChange, close };
};

/** The store in an open database, which it closes. */
export const sqliteStore = async (database: Database, { sole = false } = {}): Promise<Store> => {
  const dialect = new SqliteDialect({ database });
  dialect.createAdapter = () => new TransactionalDdl();
  const db = new Kysely<Tables>({ dialect });
  // Inside Kysely's turn for the one connection: what began before `close` comes to its end.
  const close = () =>
    db.connection().execute(async () => {
      // Whoever waits for a sync still needs the log, and closing ends in no checkpoint if another process has the file open.
      await database.synced().finally(() => database.close());
    });
  try {
    await migrate(db, sqlite.columns);
    if (sole) await db.updateTable('outbox').set({ due_at: 0 }).execute();
  } catch (error) {
    await close();
    throw error;
  }
  // Nobody else writes to the file: one process owns it.
  return durable(sqlStore({ db, differences: sqlite }, { onChange: () => {}, close }), database.synced);
};

/**
 * Names of the migrations that the store in a file still lacks, without writing to it. Throws StoreError: `corrupt`,
 * `newer-schema`, ...
 */
export const pendingMigrations = (file: string): string[] => {
  const source = openSqliteSource(file);
  try {
    return migrationsBeyond(sqlite.columns, source.migrations);
  } finally {
    source.close();
  }
};
