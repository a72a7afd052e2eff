import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { StoreError } from '../store.ts';
import { initial } from './001-initial.ts';
import type { ColumnTypes } from './column-types.ts';

/** Never change one that was released: add the next. Down migrations: restore a backup. */
const migrations = (types: ColumnTypes) => ({ '001-initial': initial(types) });

/** Brings the database to this version's schema. Throws {@link StoreError} `newer-schema` if it is ahead of us. */
export const migrate = async <T>(db: Kysely<T>, types: ColumnTypes): Promise<void> => {
  const known = migrations(types);
  const table = 'kysely_migration';
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (tables.some(({ name }) => name === table)) {
    const done = await sql<{ name: string }>`select name from ${sql.table(table)}`.execute(db);
    const newer = done.rows.map(({ name }) => name).filter((name) => !Object.hasOwn(known, name));
    if (newer.length > 0)
      throw new StoreError(
        'newer-schema',
        `written by a newer Gantry (it has migration ${newer.join(', ')})`,
      );
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => known } });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof StoreError) throw error;
  if (error !== undefined)
    throw new StoreError('failed', 'could not bring the schema up to date', { cause: error });
};
