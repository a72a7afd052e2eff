import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { ColumnTypes } from './column-types.ts';

/** An index for who asks whether a file was uploaded before. */
export const hashesAndCounts = (types: ColumnTypes): Migration => ({
  async up(db: Kysely<unknown>) {
    await types.compareBytewise(db, { images: ['sha256'] });
    await db.schema.createIndex('images_by_sha256').on('images').columns(['sha256', 'id']).execute();
  },
});
