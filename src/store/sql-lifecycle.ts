import { isFinal } from '../pipeline/image.ts';
import type { Job } from '../pipeline/message.ts';
import { chunks, type Sql } from './differences.ts';
import { blobIn, jobOf } from './rows.ts';
import type { ImageRow, Trx } from './schema.ts';
import { latestTraces, writeDeletion, writeEvents } from './sql-events.ts';
import { lockImages, writeImages } from './sql-record.ts';
import { withOriginal } from './sql-retention.ts';

/** Starts a new generation of final images, `before` being the trace that made them final; whoever calls holds their rows. */
const renew = async (
  sql: Sql,
  trx: Trx,
  images: readonly ImageRow[],
  leaseMs: number,
  traceparent: string | null = null,
): Promise<{ row: ImageRow; before: string | null }[]> => {
  const now = Date.now();
  const traces = await latestTraces(sql, trx, images);
  const next = images.map(
    (row): ImageRow => ({
      ...row,
      state: 'queued',
      generation: row.generation + 1,
      attempts: 0,
      label: null,
      result: null,
      error_code: null,
      error_message: null,
      submitted_at: now,
      updated_at: now,
      waiting_since: now,
    }),
  );
  await writeImages(sql, trx, next);
  for (const part of chunks(sql, next, 5))
    await trx
      .insertInto('outbox')
      .values(
        part.map(({ id, generation }) => ({
          ...{ image_id: id, generation },
          ...{ due_at: now + leaseMs, added_at: now, traceparent: traces.get(id) ?? null },
        })),
      )
      // A final image has no outbox row; should one have been left by a fault, it is of no use any more.
      .onConflict((conflict) =>
        conflict.column('image_id').doUpdateSet(({ ref }) => ({
          generation: ref('excluded.generation'),
          due_at: ref('excluded.due_at'),
          added_at: ref('excluded.added_at'),
          traceparent: ref('excluded.traceparent'),
        })),
      )
      .execute();
  const changes = next.map((after, index) => ({ before: images[index] ?? null, after, traceparent }));
  await writeEvents(sql, trx, changes);
  return next.map((row) => ({ row, before: traces.get(row.id) ?? null }));
};

export const reprocess = (
  sql: Sql,
  id: string,
  leaseMs: number,
  traceparent?: string,
): Promise<Job | 'not-found' | 'unfinished' | 'no-original'> =>
  sql.db.transaction().execute(async (trx) => {
    const row = (await lockImages(sql, trx, [id])).get(id);
    if (!row) return 'not-found';
    if (!isFinal(row.state)) return 'unfinished';
    if (blobIn(row) === null) return 'no-original';
    const [next = { row, before: null }] = await renew(sql, trx, [row], leaseMs, traceparent);
    return jobOf(next.row, next.before);
  });

export const replayDead = (
  sql: Sql,
  limit: number,
  traceparent?: string,
  diedBefore?: number,
): Promise<number> =>
  sql.db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom('images')
      .selectAll()
      .where('state', '=', 'dead')
      .where(withOriginal)
      .$if(diedBefore !== undefined, (query) => query.where('updated_at', '<', diedBefore ?? 0))
      .orderBy('created_at')
      .orderBy('id')
      .limit(limit)
      .$if(sql.differences.concurrentWriters, (query) => query.forUpdate().skipLocked())
      .execute();
    await renew(sql, trx, rows, 0, traceparent);
    return rows.length;
  });

/** The foreign keys take thumbnail, results and outbox row along. */
export const remove = (sql: Sql, id: string): Promise<{ blob: string | null } | 'not-found'> =>
  sql.db.transaction().execute(async (trx) => {
    const row = await trx
      .deleteFrom('images')
      .where('id', '=', id)
      .returning(['state', 'label', 'blob'])
      .executeTakeFirst();
    if (!row) return 'not-found';
    await writeDeletion(sql, trx, id, row);
    return { blob: blobIn(row) };
  });
