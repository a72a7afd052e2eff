import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { ColumnTypes } from './column-types.ts';

/**
 * Uploads that come in parts. One index is for forgetting them, the other for the open ones: these are few, while ended
 * ones are remembered for a day or two and may be a million.
 * Parts refer to no upload: both are removed by one transaction, and a reference would only make appending dearer.
 */
export const uploads = (types: ColumnTypes): Migration => ({
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('uploads')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('filename', 'text', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('received', 'bigint', (column) => column.notNull())
      .addColumn('image_id', 'text')
      .addColumn('refusal', 'text')
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('uploads_by_expiry').on('uploads').columns(['expires_at', 'id']).execute();
    await db.schema
      .createIndex('uploads_open')
      .on('uploads')
      .columns(['expires_at', 'id'])
      .where(sql<SqlBool>`state = 'open'`)
      .execute();
    await db.schema
      .createTable('upload_parts')
      .addColumn('upload_id', 'text', (column) => column.notNull())
      .addColumn('start', 'bigint', (column) => column.notNull())
      .addColumn('blob', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('upload_parts_pk', ['upload_id', 'start'])
      .execute();
    await types.compareBytewise(db, { uploads: ['id', 'state'], upload_parts: ['upload_id', 'blob'] });
  },
});
