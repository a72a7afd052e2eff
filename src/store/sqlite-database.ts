import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { openLog } from './sqlite-log.ts';
import { StoreError } from './store.ts';

const codes: Record<number, StoreError['code']> = {
  3: 'unwritable', // SQLITE_PERM
  5: 'busy', // SQLITE_BUSY
  6: 'busy', // SQLITE_LOCKED
  8: 'unwritable', // SQLITE_READONLY
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  14: 'unwritable', // SQLITE_CANTOPEN
  26: 'corrupt', // SQLITE_NOTADB
};

/** What SQLite threw, as the store reports it. */
export const faultOf = (file: string, cause: unknown): StoreError => {
  const { code, errcode } = cause as { code?: string; errcode?: number };
  if (code === 'ERR_INVALID_STATE') return new StoreError('closed', `${file} is closed`, { cause });
  const reason = cause instanceof Error ? cause.message : String(cause);
  // Extended codes carry the primary one in their lowest byte.
  return new StoreError(codes[(errcode ?? 0) & 0xff] ?? 'failed', `${file}: ${reason}`, { cause });
};

/** Batches differ in size and so in their text; what is used often stays. */
const keptStatements = 256;

/**
 * `normal`: the log is synced before a checkpoint only, and otherwise by {@link Database.synced}. No larger cache (KiB):
 * whenever a commit has split a page, SQLite goes through all that it holds. The log is emptied every 4,000 pages instead
 * of 1,000, since what is written again and again is then copied once.
 */
const pragmas = `
  pragma journal_mode = wal;
  pragma synchronous = normal;
  pragma fullfsync = on;
  pragma checkpoint_fullfsync = on;
  pragma foreign_keys = on;
  pragma cache_size = -8192;
  pragma wal_autocheckpoint = 4000;
  pragma journal_size_limit = 67108864;
`;

/** `node:sqlite` as Kysely's SQLite dialect wants it, every fault a {@link StoreError}. */
export interface Database extends SqliteDatabase {
  readonly native: DatabaseSync;
  /** Resolves once all that was committed before the call is on the disk: until then the power must not fail. */
  synced(): Promise<void>;
}

/** Opens or creates the file. Its folder must exist. A commit is safe from the process's end at once, from the machine's once `synced`. */
export const openDatabase = (file: string, busyTimeoutMs: number): Database => {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw faultOf(file, cause);
    }
  };
  const native = guarded(() => new DatabaseSync(file, { timeout: busyTimeoutMs }));
  try {
    guarded(() => native.exec(pragmas));
  } catch (error) {
    native.close();
    throw error;
  }

  // One in memory has no log, and nothing to lose.
  const stored = native.location() !== null;
  const log = openLog(`${file}-wal`);
  const adapted = (sql: string, statement: StatementSync): SqliteStatement => {
    const bound = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
    const reads = /^\s*select\b/i.test(sql);
    const done = <T>(answer: T): T => {
      if (!reads && !native.isTransaction && stored) log.committed();
      return answer;
    };
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => done(guarded(() => statement.all(...bound(parameters)))),
      run: (parameters) => done(guarded(() => statement.run(...bound(parameters)))),
      iterate: (parameters) => guarded(() => statement.iterate(...bound(parameters))),
    };
  };
  const kept = new Map<string, SqliteStatement>();
  const prepared = (sql: string): SqliteStatement => {
    const statement = kept.get(sql) ?? guarded(() => adapted(sql, native.prepare(sql)));
    kept.delete(sql);
    kept.set(sql, statement);
    if (kept.size > keptStatements) kept.delete(kept.keys().next().value ?? '');
    return statement;
  };
  const nothing: SqliteStatement = {
    reader: false,
    all: () => [],
    run: () => ({ changes: 0, lastInsertRowid: 0 }),
    iterate: () => [].values(),
  };

  return {
    native,
    prepare(sql) {
      // All transactions write. One that began with a read could not go on to write once another process has
      // written, however long it waited.
      if (sql === 'begin') return prepared('begin immediate');
      // SQLite itself rolls back after some faults (disk full); a second rollback would hide the first error.
      if (sql === 'rollback' && native.isOpen && !native.isTransaction) return nothing;
      return prepared(sql);
    },
    async synced() {
      await log.synced().catch((cause) => {
        throw faultOf(`${file}-wal`, cause);
      });
    },
    close() {
      kept.clear();
      log.close();
      if (native.isOpen) guarded(() => native.close());
    },
  };
};
