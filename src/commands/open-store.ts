import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Logger } from '../observability/log.ts';
import { type Store, StoreError } from '../store/store.ts';
import { takeDataFolder } from './data-folder.ts';

/** A database that is started together with us is up by then; Kubernetes starts us again in any case. */
const patienceMs = 60_000;
const pauseMs = 1000;

/**
 * The store of the settings: PostgreSQL where `databaseUrl` is set. `sole`: we are the only server of an SQLite file.
 * Throws StoreError.
 */
export const openDatabase = async (config: Config, log: Logger, { sole = false } = {}): Promise<Store> => {
  if (config.databaseUrl === undefined) {
    const { openSqliteStore } = await import('../store/sqlite.ts');
    return openSqliteStore(join(config.dataDir, 'gantry.db'), { sole });
  }
  const { openPostgresStore } = await import('../store/postgres.ts');
  const { databaseUrl } = config;
  const current = () => ({
    url: config.now('databaseUrl') ?? databaseUrl,
    username: config.now('databaseUsername'),
    password: config.now('databasePassword'),
    ca: config.databaseCa,
  });
  return openPostgresStore({
    ...current(),
    current,
    poolSize: config.databasePool,
    statementTimeoutMs: config.databaseTimeout,
    log,
  });
};

/**
 * Opens the store for a server: SQLite together with its data folder, which no other server may have, and for which a
 * `successor` of one that is stopping waits; a PostgreSQL server that cannot be reached yet is waited for; a minute at
 * most. Throws StoreError and StartError.
 */
export const openStore = async (config: Config, log: Logger, { successor = false } = {}): Promise<Store> => {
  if (config.databaseUrl === undefined) {
    await takeDataFolder(config.dataDir, successor ? patienceMs : 0, () =>
      log.warn({ dataDir: config.dataDir }, 'another gantry has the data folder; waiting for its end'),
    );
  }
  const deadline = performance.now() + patienceMs;
  for (let told = false; ; told = true) {
    try {
      return await openDatabase(config, log, { sole: true });
    } catch (error) {
      const away = error instanceof StoreError && error.code === 'unavailable';
      if (!away || performance.now() > deadline) throw error;
      if (!told) log.warn({ reason: error.message }, 'the database cannot be reached; waiting for it');
      await sleep(pauseMs);
    }
  }
};
