import type { Job } from '../pipeline/message.ts';
import { batch } from './batch.ts';
import { chunks, type Sql } from './differences.ts';
import { jobOf } from './rows.ts';
import { latestTraces } from './sql-events.ts';
import type { JobKey } from './store.ts';

const dropPublished = batch<JobKey>(
  { id: 'text', generation: 'number' },
  (input) => `delete from outbox where (image_id, generation) in (select id, generation from ${input})`,
  { silent: true },
);

/** A job of an older generation than the row's was published by somebody who came late: the row stays. */
export const published = (sql: Sql, jobs: readonly JobKey[]): Promise<void> =>
  sql.db.transaction().execute(async (trx) => {
    await sql.differences.lookUpByIndex(trx);
    await dropPublished(
      sql,
      trx,
      jobs.map(({ id, generation }) => ({ id, generation })),
    );
  });

export const claimOutbox = (sql: Sql, limit: number, leaseMs: number): Promise<Job[]> =>
  sql.db.transaction().execute(async (trx) => {
    const now = Date.now();
    const rows = await trx
      .selectFrom('outbox')
      .innerJoin('images', 'images.id', 'outbox.image_id')
      .selectAll('images')
      .select('outbox.traceparent')
      .where('outbox.due_at', '<=', now)
      .orderBy('outbox.due_at')
      .orderBy('outbox.image_id')
      .limit(limit)
      .$if(sql.differences.concurrentWriters, (query) =>
        // Images too, or who records a result, holding the image and wanting the outbox row, would wait in a circle.
        query.forUpdate(['outbox', 'images']).skipLocked(),
      )
      .execute();
    for (const part of chunks(sql, rows, 1)) {
      const ids = part.map((row) => row.id);
      await trx
        .updateTable('outbox')
        .set({ due_at: now + leaseMs })
        .where('image_id', 'in', ids)
        .execute();
      // It begins to wait in the queue only now, however long it lay here.
      await trx
        .updateTable('images')
        .set({ waiting_since: now })
        .where('id', 'in', ids)
        .where('waiting_since', 'is not', null)
        .execute();
    }
    return rows.map(({ traceparent, ...row }) => jobOf(row, traceparent));
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
    const traces = await latestTraces(sql, trx, rows);
    for (const part of chunks(sql, rows, 5)) {
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
        .values(
          part.map(({ id, generation }) => ({
            ...{ image_id: id, generation },
            ...{ due_at: now, added_at: now, traceparent: traces.get(id) ?? null },
          })),
        )
        // With several writers another requeue may have been here between our reading and our locking.
        .onConflict((conflict) => conflict.column('image_id').doNothing())
        .execute();
    }
    return rows.length;
  });
