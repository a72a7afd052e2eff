import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { StoreError } from '../store.ts';
import { initial } from './001-initial.ts';
import { removedOriginals } from './002-removed-originals.ts';
import { agesAndTraces } from './003-ages-and-traces.ts';
import { hashesAndCounts } from './004-hashes-and-counts.ts';
import { uploads } from './005-uploads.ts';
import type { ColumnTypes } from './column-types.ts';

/** Never change one that was released: add the next. Down migrations: restore a backup. */
const migrations = (types: ColumnTypes) => ({
  '001-initial': initial(types),
  '002-removed-originals': removedOriginals(types),
  '003-ages-and-traces': agesAndTraces(),
  '004-hashes-and-counts': hashesAndCounts(types),
  '005-uploads': uploads(types),
});

/** Names of the migrations that a database lacks. Throws StoreError `newer-schema` if it is ahead of us. */
const lacking = async <T>(db: Kysely<T>, known: object, schema: string | undefined): Promise<string[]> => {
  const table = 'kysely_migration';
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  const exists = tables.some((one) => one.name === table && (!schema || one.schema === schema));
  if (!exists) return Object.keys(known);
  const done = await sql<{ name: string }>`select name from ${sql.table(table)}`.execute(db);
  const names = done.rows.map(({ name }) => name);
  const newer = names.filter((name) => !Object.hasOwn(known, name));
  if (newer.length > 0)
    throw new StoreError('newer-schema', `written by a newer Gantry (it has migration ${newer.join(', ')})`);
  return Object.keys(known).filter((name) => !names.includes(name));
};

/** Throws StoreError `failed` unless the database has this version's schema. */
export const checkSchema = async <T>(
  db: Kysely<T>,
  types: ColumnTypes,
  schema: string | undefined,
): Promise<void> => {
  const missing = await lacking(db, migrations(types), schema);
  if (missing.length > 0)
    throw new StoreError(
      'failed',
      `the database lacks migration ${missing.join(', ')}, and none was to be made`,
    );
};

/**
 * Brings the database to this version's schema; several processes at once take turns. `schema` is the one that tables
 * are made in, where a database has several. Throws StoreError `newer-schema` if the database is ahead of us.
 */
export const migrate = async <T>(db: Kysely<T>, types: ColumnTypes, schema?: string): Promise<void> => {
  const known = migrations(types);
  if ((await lacking(db, known, schema)).length === 0) return;
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => known },
    ...(schema && { migrationTableSchema: schema }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof StoreError) throw error;
  if (error !== undefined)
    throw new StoreError('failed', 'could not bring the schema up to date', { cause: error });
};
