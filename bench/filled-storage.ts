import { copyFile, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { v7 } from 'uuid';
import { openPostgresStore } from '../src/store/postgres.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { openDatabase } from '../src/store/sqlite-database.ts';
import type { Store } from '../src/store/store.ts';
import type { Postgres } from '../test/services/postgres.ts';
import { fill, postgresDialect, sqliteDialect } from './million-rows.ts';

/** What a system finds when it starts. */
export interface Size {
  /** Images that have ended. */
  readonly stored: number;
  /** Images that wait. */
  readonly backlog: number;
}

/** Where a system keeps what it is given. */
export interface Storage {
  readonly dataDir: string;
  /** Undefined: SQLite in the data folder. */
  readonly databaseUrl?: string;
  dispose(): Promise<void>;
}

const acceptBacklog = async (
  store: Store,
  count: number,
  blobs: readonly { key: string; bytes: number }[],
) => {
  const [first] = blobs;
  if (first === undefined) return;
  for (let at = 0; at < count; at += 1000) {
    const images = Array.from({ length: Math.min(1000, count - at) }, (_, n) => {
      const { key, bytes } = blobs[(at + n) % blobs.length] ?? first;
      const file = { filename: 'a.jpg', contentType: 'image/jpeg', bytes, sha256: 'ab'.repeat(32) };
      return { ...file, id: v7(), pipeline: 'pets', blob: key };
    });
    await store.accept([{ images }], 0);
  }
};

/**
 * A data folder, and a database in `postgres` if there is one, that holds `size` images. Those that wait share the
 * bytes of `pictures` (JPEG files) in turn; each is a row and becomes a job as if it had been uploaded.
 */
export const filledStorage = async (
  size: Size,
  pictures: readonly string[],
  postgres: Postgres | undefined,
): Promise<Storage> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
  const blobs = await Promise.all(
    pictures.map(async (file) => {
      const key = `2026/11/24/${v7()}.jpg`;
      const path = join(dataDir, 'images', key);
      await mkdir(dirname(path), { recursive: true });
      await copyFile(file, path);
      return { key, bytes: (await stat(path)).size };
    }),
  );
  const file = join(dataDir, 'gantry.db');
  const databaseUrl = await postgres?.createDatabase();
  const open = (): Promise<Store> =>
    databaseUrl === undefined
      ? openSqliteStore(file)
      : openPostgresStore({ url: databaseUrl, poolSize: 2, statementTimeoutMs: 600_000 });
  await (await open()).close();
  if (databaseUrl === undefined) {
    const database = openDatabase(file, 5_000);
    for (const statement of fill(sqliteDialect, size.stored, true)) database.native.exec(statement);
    database.close();
  } else {
    const client = new pg.Client(databaseUrl);
    await client.connect();
    for (const statement of fill(postgresDialect, size.stored, true)) await client.query(statement);
    await client.query('vacuum (analyze)');
    await client.end();
  }
  const store = await open();
  await store.recount();
  await acceptBacklog(store, size.backlog, blobs);
  await store.close();
  return {
    dataDir,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    dispose: () => rm(dataDir, { recursive: true }),
  };
};
