import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { StoreError } from '../store.ts';
import { initial } from './001-initial.ts';
import { removedOriginals } from './002-removed-originals.ts';
import { agesAndTraces } from './003-ages-and-traces.ts';
import { hashesAndCounts } from './004-hashes-and-counts.ts';
import { uploads } from './005-uploads.ts';
import { installation } from './006-installation.ts';
import type { ColumnTypes } from './column-types.ts';

/** Never change one that was released: add the next. Down migrations: restore a backup. */
const migrations = (types: ColumnTypes) => ({
  '001-initial': initial(types),
  '002-removed-originals': removedOriginals(types),
  '003-ages-and-traces': agesAndTraces(),
  '004-hashes-and-counts': hashesAndCounts(types),
  '005-uploads': uploads(types),
  '006-installation': installation(),
});

/**
 * Names of the migrations that are not among those done. Throws StoreError `newer-schema` if others are: the database is
 * ahead of us.
 */
export const migrationsBeyond = (types: ColumnTypes, done: readonly string[]): string[] => {
  const known = Object.keys(migrations(types));
  const newer = done.filter((name) => !known.includes(name));
  if (newer.length > 0)
    throw new StoreError('newer-schema', `written by a newer Gantry (it has migration ${newer.join(', ')})`);
  return known.filter((name) => !done.includes(name));
};

/** Names of the migrations that a database lacks. Throws StoreError `newer-schema` if it is ahead of us. */
const lacking = async <T>(
  db: Kysely<T>,
  types: ColumnTypes,
  schema: string | undefined,
): Promise<string[]> => {
  const table = 'kysely_migration';
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  const exists = tables.some((one) => one.name === table && (!schema || one.schema === schema));
  if (!exists) return migrationsBeyond(types, []);
  const done = await sql<{ name: string }>`select name from ${sql.table(table)}`.execute(db);
  return migrationsBeyond(
    types,
    done.rows.map(({ name }) => name),
  );
};

/** Throws StoreError `failed` unless the database has this version's schema. */
export const checkSchema = async <T>(
  db: Kysely<T>,
  types: ColumnTypes,
  schema: string | undefined,
): Promise<void> => {
  const missing = await lacking(db, types, schema);
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
  if ((await lacking(db, types, schema)).length === 0) return;
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations(types) },
    ...(schema && { migrationTableSchema: schema }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof StoreError) throw error;
  if (error !== undefined)
    throw new StoreError('failed', 'could not bring the schema up to date', { cause: error });
};
