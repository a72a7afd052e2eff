import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { ColumnTypes } from './column-types.ts';

/**
 * An index for who asks whether a file was uploaded before, and counts of what there is: to count a million images
 * takes a tenth of a second, which every open page would ask for again and again. Begins with what there is now; a
 * Gantry of the version before that still writes during a rolling upgrade counts nothing, which `recount` mends.
 */
export const hashesAndCounts = (types: ColumnTypes): Migration => ({
  async up(db: Kysely<unknown>) {
    await types.compareBytewise(db, { images: ['sha256'] });
    await db.schema.createIndex('images_by_sha256').on('images').columns(['sha256', 'id']).execute();
    await db.schema
      .createTable('counts')
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('n', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('counts_pk', ['at', 'kind', 'name'])
      .execute();
    await types.compareBytewise(db, { counts: ['kind', 'name'] });
    await sql`
      insert into counts (at, kind, name, n)
      select 0, 'state', state, count(*) from images group by state
      union all
      select 0, 'label', label, count(*) from images where label is not null group by label
    `.execute(db);
  },
});
