import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The name by which a store's parts of uploads are told from those of other stores in the same storage. */
export const installation = (): Migration => ({
  async up(db: Kysely<{ installation: { id: string } }>) {
    await db.schema
      .createTable('installation')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .execute();
    await db.insertInto('installation').values({ id: randomUUID() }).execute();
  },
});
