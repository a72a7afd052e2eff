import type { Job } from '../pipeline/message.ts';
import { byGeneration, chunks, type Sql } from './differences.ts';
import { jobOf } from './rows.ts';
import type { JobKey } from './store.ts';

/** A job of an older generation than the row's was published by somebody who came late: the row stays. */
export const published = (sql: Sql, jobs: readonly JobKey[]): Promise<void> =>
  sql.db.transaction().execute(async (trx) => {
    for (const [generation, ids] of byGeneration(jobs))
      for (const part of chunks(sql, ids, 1))
        await trx
          .deleteFrom('outbox')
          .where('image_id', 'in', part)
          .where('generation', '=', generation)
          .execute();
  });

export const claimOutbox = (sql: Sql, limit: number, leaseMs: number): Promise<Job[]> =>
  sql.db.transaction().execute(async (trx) => {
    const now = Date.now();
    const rows = await trx
      .selectFrom('outbox')
      .innerJoin('images', 'images.id', 'outbox.image_id')
      .selectAll('images')
      .where('outbox.due_at', '<=', now)
      .orderBy('outbox.due_at')
      .orderBy('outbox.image_id')
      .limit(limit)
      .$if(sql.differences.concurrentWriters, (query) => query.forUpdate('outbox').skipLocked())
      .execute();
    for (const part of chunks(sql, rows, 1))
      await trx
        .updateTable('outbox')
        .set({ due_at: now + leaseMs })
        .where(
          'image_id',
          'in',
          part.map((row) => row.id),
        )
        .execute();
    return rows.map(jobOf);
  });

export const requeue = (sql: Sql, unchangedSince: number, limit: number): Promise<number> =>
  sql.db.transaction().execute(async (trx) => {
    const now = Date.now();
    const rows = await trx
      .selectFrom('images')
      .select(['id', 'generation'])
      .where('waiting_since', '<', unchangedSince)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom('outbox').select('image_id').whereRef('outbox.image_id', '=', 'images.id'))),
      )
      .orderBy('waiting_since')
      .orderBy('id')
      .limit(limit)
      .$if(sql.differences.concurrentWriters, (query) => query.forUpdate().skipLocked())
      .execute();
    for (const part of chunks(sql, rows, 3)) {
      await trx
        .updateTable('images')
        .set({ waiting_since: now })
        .where(
          'id',
          'in',
          part.map((row) => row.id),
        )
        .execute();
      await trx
        .insertInto('outbox')
        .values(part.map(({ id, generation }) => ({ image_id: id, generation, due_at: now })))
        .execute();
    }
    return rows.length;
  });
