import { sql as raw } from 'kysely';
import { batch, sized } from './batch.ts';
import { chunks, type Sql } from './differences.ts';
import { imageOf, iso } from './rows.ts';
import type { Db, ImageRow, Tables, Trx } from './schema.ts';
import { type Change, count } from './sql-counts.ts';
import type { ImageEvent } from './store.ts';

type EventRow = Omit<Tables['events'], 'seq'>;

const insertEvents = batch<EventRow>(
  { image_id: 'text', type: 'text', image: 'text', at: 'number', traceparent: 'text' },
  (input) => `insert into events (image_id, type, image, at, traceparent)
    select image_id, type, image, at, traceparent from ${input}`,
  { silent: true },
);

const write = async (sql: Sql, trx: Trx, rows: EventRow[], changes: readonly Change[]): Promise<void> => {
  if (rows.length === 0) return;
  await sql.differences.orderEvents(trx);
  await count(sql, trx, changes);
  await insertEvents(sql, trx, rows);
};

/** An image that has just become what `after` says. */
export interface Written extends Change {
  readonly after: ImageRow;
  readonly traceparent?: string | null;
}

/** One event for each image, which is counted, too. To be called last: other writers wait until the commit. */
export const writeEvents = (sql: Sql, trx: Trx, changes: readonly Written[]): Promise<void> =>
  write(
    sql,
    trx,
    changes.map(({ after, traceparent = null }) => ({
      image_id: after.id,
      type: after.state,
      image: JSON.stringify(imageOf(after)),
      at: after.updated_at,
      traceparent,
    })),
    changes,
  );

/** The trace of the newest event that has one, by image: what led to where the image is now. */
export const latestTraces = async (
  sql: Sql,
  trx: Trx,
  images: readonly { readonly id: string }[],
): Promise<Map<string, string>> => {
  const traces = new Map<string, string>();
  for (const part of chunks(sql, images, 1)) {
    const rows = await trx
      .selectFrom('events')
      .select(['image_id', 'traceparent'])
      .where(
        'image_id',
        'in',
        part.map(({ id }) => id),
      )
      .where('traceparent', 'is not', null)
      .orderBy('image_id')
      .orderBy('seq')
      .execute();
    for (const { image_id, traceparent } of rows) if (traceparent !== null) traces.set(image_id, traceparent);
  }
  return traces;
};

/** The event of an image that was removed, which is counted no more. */
export const writeDeletion = (
  sql: Sql,
  trx: Trx,
  imageId: string,
  before: NonNullable<Change['before']>,
): Promise<void> => {
  const event = {
    image_id: imageId,
    type: 'deleted',
    image: null,
    at: Date.now(),
    traceparent: null,
  } as const;
  return write(sql, trx, [event], [{ before, after: null }]);
};

const selectEvents = (db: Db | Trx, after: number, limit: number) =>
  db
    .selectFrom('events')
    .select(['seq', 'type', 'image_id', 'image', 'at', 'traceparent'])
    .where('seq', '>', after)
    .orderBy('seq')
    // SQLite would plan a statement anew each time whose limit is a parameter.
    .limit(raw.lit(limit));
const readEvents = sized((db, limit) => selectEvents(db, 0, limit));

export const events = async (
  sql: Sql,
  after: number,
  limit: number,
  imageId?: string,
): Promise<ImageEvent[]> => {
  const rows =
    imageId === undefined
      ? await readEvents(sql, sql.db, limit, [after])
      : await selectEvents(sql.db, after, limit).where('image_id', '=', imageId).execute();
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
export const expire = ({ db }: Sql, before: number, limit: number): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    const events = await trx
      .deleteFrom('events')
      .where('seq', 'in', (from) => from.selectFrom('events').select('seq').orderBy('seq').limit(limit))
      .where('at', '<', before)
      .executeTakeFirst();
    const keys = await trx
      .deleteFrom('idempotency_keys')
      .where('key', 'in', (from) =>
        from
          .selectFrom('idempotency_keys')
          .select('key')
          .where('created_at', '<', before)
          .orderBy('created_at')
          .limit(limit),
      )
      .executeTakeFirst();
    return [events, keys].some(({ numDeletedRows }) => Number(numDeletedRows) === limit);
  });
