import { isFinal } from '../pipeline/image.ts';
import type { Job } from '../pipeline/message.ts';
import type { Sql } from './differences.ts';
import { jobOf } from './rows.ts';
import type { ImageRow } from './schema.ts';
import { writeDeletion, writeEvents } from './sql-events.ts';
import { lockImages, writeImages } from './sql-record.ts';

export const reprocess = (sql: Sql, id: string, leaseMs: number): Promise<Job | 'not-found' | 'unfinished'> =>
  sql.db.transaction().execute(async (trx) => {
    const row = (await lockImages(sql, trx, [id])).get(id);
    if (!row) return 'not-found';
    if (!isFinal(row.state)) return 'unfinished';
    const now = Date.now();
    const next: ImageRow = {
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
    };
    await writeImages(sql, trx, [next]);
    await trx
      .insertInto('outbox')
      .values({ image_id: id, generation: next.generation, due_at: now + leaseMs })
      .execute();
    await writeEvents(sql, trx, [next]);
    return jobOf(next);
  });

/** The foreign keys take thumbnail, results and outbox row along. */
export const remove = (sql: Sql, id: string): Promise<{ blob: string } | 'not-found'> =>
  sql.db.transaction().execute(async (trx) => {
    const row = await trx.deleteFrom('images').where('id', '=', id).returning('blob').executeTakeFirst();
    if (!row) return 'not-found';
    await writeDeletion(sql, trx, id, Date.now());
    return { blob: row.blob };
  });
