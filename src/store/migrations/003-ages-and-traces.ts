import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * When an outbox row was added (`due_at` moves on with every try), and the trace that led to an event. Both may be
 * null: rows that are older, or written by a Gantry of the version before during a rolling upgrade, have neither.
 */
export const agesAndTraces = (): Migration => ({
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('outbox').addColumn('added_at', 'bigint').execute();
    await db.schema.alterTable('events').addColumn('traceparent', 'text').execute();
  },
});
