import { Kysely, PostgresDialect, sql } from 'kysely';
import { openPostgresStore, type PostgresOptions, postgres } from './postgres.ts';
import { binaryArray } from './postgres-array.ts';
import { openPool } from './postgres-pool.ts';
import type { Tables, Trx } from './schema.ts';
import { correctCounts } from './sql-counts.ts';
import { openSqliteSource, type SqliteSource } from './sqlite-source.ts';

/** Source or target are not what a move needs; the message says what to do. */
export class MoveError extends Error {
  readonly code: 'no-store' | 'older-schema' | 'newer-schema' | 'not-empty';
  constructor(code: MoveError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** All but the heartbeat, which says only that the database it lies in could be written to, what is counted anew, and
 * the one row that every store has. */
type Moved = Exclude<keyof Tables, 'heartbeat' | 'counts' | 'installation'>;

const ofImages = 'image_id in (select id from images)';
/** Which rows are copied, in the order of the foreign keys: what belongs to no image PostgreSQL would not take. */
const plan: Readonly<Record<Moved, string | undefined>> = {
  images: undefined,
  outbox: ofImages,
  results: ofImages,
  thumbnails: ofImages,
  events: undefined,
  idempotency_keys: undefined,
  uploads: undefined,
  upload_parts: undefined,
};
const tables = Object.keys(plan) as Moved[];

/** Rows copied from each table, and rows of no image that were left behind. */
export type Counts = Readonly<Record<Moved | 'leftBehind', number>>;

const columnsOf = async (trx: Trx, table: Moved): Promise<{ name: string; type: string }[]> => {
  const { rows } = await sql<{ name: string; type: string }>`
    select attname as name, format_type(atttypid, null) as type from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped order by attnum
  `.execute(trx);
  return rows;
};

const copyTable = async (
  source: SqliteSource,
  trx: Trx,
  table: Moved,
  copied: (rows: number) => void,
): Promise<void> => {
  const columns = await columnsOf(trx, table);
  const names = columns.map(({ name }) => name);
  for (const batch of source.read(table, names, plan[table])) {
    // One array a column: no limit of parameters, and the same statement for every size of batch.
    const arrays = columns.map(
      ({ type }, index) => sql`${binaryArray(type, batch.columns[index] ?? [])}::${sql.raw(type)}[]`,
    );
    await sql`
      insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))}) overriding system value
      select * from unnest(${sql.join(arrays)})
    `.execute(trx);
    copied(batch.rows);
  }
};

/** The parts of unfinished uploads stay where they are, and go on being this installation's. */
const takeOverInstallation = async (source: SqliteSource, trx: Trx): Promise<void> => {
  for (const { columns } of source.read('installation', ['id']))
    await trx
      .updateTable('installation')
      .set({ id: String(columns[0]?.[0]) })
      .execute();
};

const refuseUnlessEmpty = async (trx: Trx): Promise<void> => {
  const found = tables.map((table) => sql`exists (select 1 from ${sql.table(table)}) as ${sql.id(table)}`);
  const { rows } = await sql<Record<string, boolean>>`select ${sql.join(found)}`.execute(trx);
  const full = tables.filter((table) => rows[0]?.[table]);
  if (full.length > 0)
    throw new MoveError(
      'not-empty',
      `the PostgreSQL database is not empty (it has ${full.join(', ').replaceAll('_', ' ')}); nothing was copied: name a new one`,
    );
};

const refuseOtherSchema = async (source: SqliteSource, file: string, trx: Trx): Promise<void> => {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(trx);
  const wanted = rows.map(({ name }) => name);
  const missing = wanted.filter((name) => !source.migrations.includes(name));
  const newer = source.migrations.filter((name) => !wanted.includes(name));
  if (newer.length > 0)
    throw new MoveError('newer-schema', `${file} is of a newer Gantry (it has ${newer.join(', ')})`);
  if (missing.length > 0)
    throw new MoveError(
      'older-schema',
      `${file} is of an older Gantry (it lacks ${missing.join(', ')}): start this version's gantry serve on it once, and stop it`,
    );
};

const copy = async (
  source: SqliteSource,
  file: string,
  trx: Trx,
  onProgress: (done: number, total: number) => void,
): Promise<Counts> => {
  await refuseOtherSchema(source, file, trx);
  // Until the end nobody else writes, a web server that runs on the database already included.
  await sql`lock table ${sql.join(tables.map((table) => sql.table(table)))} in exclusive mode`.execute(trx);
  await refuseUnlessEmpty(trx);
  const counts = Object.fromEntries(tables.map((table) => [table, 0])) as Record<Moved, number>;
  const sizes = tables.map((table) => source.count(table, plan[table]));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  for (const table of tables)
    await copyTable(source, trx, table, (rows) => {
      counts[table] += rows;
      done += rows;
      onProgress(done, total);
    });
  await takeOverInstallation(source, trx);
  // Above every number that a client may know; unlike setval, undone if the transaction is.
  await sql`alter table events alter column seq restart with ${sql.lit(source.lastEvent() + 1)}`.execute(trx);
  await correctCounts({ db: trx, differences: postgres }, trx);
  // Autovacuum would come in a minute; until then the first lists would be planned as for empty tables.
  await sql`analyze ${sql.join(tables.map((table) => sql.table(table)))}`.execute(trx);
  const everything = tables.reduce((sum, table) => sum + source.count(table), 0);
  return { ...counts, leftBehind: everything - total };
};

/**
 * Copies all that an SQLite store holds into an empty PostgreSQL database, which is given its schema first, in one
 * transaction: whatever ends it early leaves the database without a row. The file is only read; that no server writes
 * to it meanwhile is the caller's to see to. `onProgress` is told of rows. Throws MoveError and StoreError.
 */
export const moveStore = async (
  file: string,
  target: PostgresOptions,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Counts> => {
  const source = openSqliteSource(file);
  try {
    if (source.migrations.length === 0) throw new MoveError('no-store', `${file} is no store of Gantry's`);
    await (await openPostgresStore(target)).close();
    // Without a limit: counting for the planner and committing take as long as there are rows.
    const pool = openPool(target, 1, { statementTimeoutMs: 0 });
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    try {
      return await db.transaction().execute((trx) => copy(source, file, trx, onProgress));
    } finally {
      await db.destroy();
    }
  } finally {
    source.close();
  }
};
