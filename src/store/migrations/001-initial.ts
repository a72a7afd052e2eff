import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { ColumnTypes } from './column-types.ts';

/**
 * Every index serves one query: newest first of a state or label; the sweep, which looks at unfinished images
 * only; a search in file names, which reads every name (70 MB a million) but no rows (800 MB); the relay; one
 * image's events; expiry. Plain newest first and time filters go by the primary key, a UUIDv7.
 */
export const initial = (types: ColumnTypes): Migration => ({
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('images')
      .addColumn('id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('filename', 'text', (column) => column.notNull())
      .addColumn('filename_folded', 'text', (column) => column.notNull())
      .addColumn('content_type', 'text', (column) => column.notNull())
      .addColumn('bytes', 'bigint', (column) => column.notNull())
      .addColumn('sha256', 'text', (column) => column.notNull())
      .addColumn('blob', 'text', (column) => column.notNull())
      .addColumn('width', 'integer')
      .addColumn('height', 'integer')
      .addColumn('pipeline', 'text', (column) => column.notNull())
      .addColumn('generation', 'integer', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('label', 'text')
      .addColumn('error_code', 'text')
      .addColumn('error_message', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('submitted_at', 'bigint', (column) => column.notNull())
      .addColumn('updated_at', 'bigint', (column) => column.notNull())
      .addColumn('waiting_since', 'bigint')
      .addColumn('result', 'text')
      .execute();
    await db.schema.createIndex('images_by_state').on('images').columns(['state', 'id']).execute();
    await db.schema
      .createIndex('images_by_label')
      .on('images')
      .columns(['label', 'id'])
      .where(sql.ref('label'), 'is not', null)
      .execute();
    await db.schema
      .createIndex('images_unfinished')
      .on('images')
      .columns(['waiting_since', 'id'])
      .where(sql.ref('waiting_since'), 'is not', null)
      .execute();

    await db.schema
      .createIndex('images_by_filename')
      .on('images')
      .columns(['id', 'filename_folded'])
      .execute();

    await db.schema
      .createTable('outbox')
      .addColumn('image_id', 'text', (column) =>
        column.primaryKey().notNull().references('images.id').onDelete('cascade'),
      )
      .addColumn('generation', 'integer', (column) => column.notNull())
      .addColumn('due_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('outbox_by_due').on('outbox').columns(['due_at', 'image_id']).execute();

    await db.schema
      .createTable('results')
      .addColumn('image_id', 'text', (column) => column.notNull().references('images.id').onDelete('cascade'))
      .addColumn('generation', 'integer', (column) => column.notNull())
      .addColumn('model_digest', 'text', (column) => column.notNull())
      .addColumn('attempt', 'integer', (column) => column.notNull())
      .addColumn('result', 'text', (column) => column.notNull())
      .addColumn('recorded_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('results_pk', ['image_id', 'generation', 'model_digest'])
      .execute();

    await db.schema
      .createTable('thumbnails')
      .addColumn('image_id', 'text', (column) =>
        column.primaryKey().notNull().references('images.id').onDelete('cascade'),
      )
      .addColumn('webp', types.bytes, (column) => column.notNull())
      .execute();

    await db.schema
      .createTable('events')
      .addColumn('seq', types.sequence, types.asSequence)
      .addColumn('image_id', 'text', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('image', 'text')
      .addColumn('at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('events_by_image').on('events').columns(['image_id', 'seq']).execute();

    await db.schema
      .createTable('idempotency_keys')
      .addColumn('key', 'text', (column) => column.primaryKey().notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('response', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('idempotency_keys_by_age')
      .on('idempotency_keys')
      .columns(['created_at', 'key'])
      .execute();

    await db.schema
      .createTable('heartbeat')
      .addColumn('id', 'integer', (column) => column.primaryKey().notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .execute();
  },
});
