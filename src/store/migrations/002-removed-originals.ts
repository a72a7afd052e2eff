import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { ColumnTypes } from './column-types.ts';

/**
 * An original that was removed has the empty key: SQLite cannot let a column that is `not null` become null, and to
 * write every image anew for that would cost more than it tells.
 *
 * Two indexes for retention and for the replay of dead images; a final image is in one of them. They go by
 * `created_at`, though that is the same order as that of the IDs: asked for the order of IDs, PostgreSQL takes the
 * primary key and reads every image that is not wanted on the way (2.5 s for 430,000 without original).
 */
export const removedOriginals = (types: ColumnTypes): Migration => ({
  async up(db: Kysely<unknown>) {
    await types.compareBytewise(db, {
      images: ['id', 'state', 'label'],
      outbox: ['image_id'],
      results: ['image_id', 'model_digest'],
      thumbnails: ['image_id'],
      events: ['image_id'],
      idempotency_keys: ['key'],
    });
    await db.schema.alterTable('outbox').addColumn('traceparent', 'text').execute();
    for (const [name, blob] of [
      ['images_with_original', sql`blob <> ''`],
      ['images_without_original', sql`blob = ''`],
    ] as const)
      await sql`
        create index ${sql.id(name)} on images (state, created_at, id) where waiting_since is null and ${blob}
      `.execute(db);
  },
});
