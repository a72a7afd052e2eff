import { chunks, type Sql } from './differences.ts';
import { imageOf, iso } from './rows.ts';
import type { ImageRow, Tables, Trx } from './schema.ts';
import type { ImageEvent } from './store.ts';

type EventRow = Omit<Tables['events'], 'seq'>;

const write = async (sql: Sql, trx: Trx, rows: EventRow[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql.differences.orderEvents(trx);
  for (const part of chunks(sql, rows, 5)) await trx.insertInto('events').values(part).execute();
};

/** One event for each image that has just become what its row says; `traces` by the images' IDs. */
export const writeEvents = (
  sql: Sql,
  trx: Trx,
  images: readonly ImageRow[],
  traces: ReadonlyMap<string, string> = new Map(),
): Promise<void> =>
  write(
    sql,
    trx,
    images.map((row) => ({
      image_id: row.id,
      type: row.state,
      image: JSON.stringify(imageOf(row)),
      at: row.updated_at,
      traceparent: traces.get(row.id) ?? null,
    })),
  );

export const writeDeletion = (sql: Sql, trx: Trx, imageId: string, at: number): Promise<void> =>
  write(sql, trx, [{ image_id: imageId, type: 'deleted', image: null, at, traceparent: null }]);

export const events = async (
  { db }: Sql,
  after: number,
  limit: number,
  imageId?: string,
): Promise<ImageEvent[]> => {
  const rows = await db
    .selectFrom('events')
    .select(['seq', 'type', 'image_id', 'image', 'at', 'traceparent'])
    .where('seq', '>', after)
    .$if(imageId !== undefined, (query) => query.where('image_id', '=', imageId ?? ''))
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    seq: row.seq,
    type: row.type,
    at: iso(row.at),
    imageId: row.image_id,
    image: row.image === null ? null : JSON.parse(row.image),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
  }));
};

export const lastEvent = async ({ db }: Sql): Promise<number> => {
  const row = await db.selectFrom('events').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row?.seq ?? 0;
};

/**
 * Looks at the `limit` oldest events only, by number: events have no index by time, which every change would pay
 * for, and need none, since their numbers grow by time.
 */
export const expire = ({ db }: Sql, before: number, limit: number): Promise<void> =>
  db.transaction().execute(async (trx) => {
    await trx
      .deleteFrom('events')
      .where('seq', 'in', (from) => from.selectFrom('events').select('seq').orderBy('seq').limit(limit))
      .where('at', '<', before)
      .execute();
    await trx
      .deleteFrom('idempotency_keys')
      .where('key', 'in', (from) =>
        from
          .selectFrom('idempotency_keys')
          .select('key')
          .where('created_at', '<', before)
          .orderBy('created_at')
          .limit(limit),
      )
      .execute();
  });
