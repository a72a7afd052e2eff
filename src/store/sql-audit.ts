import { sql as raw, type SqlBool } from 'kysely';
import type { ImageState } from '../pipeline/image.ts';
import { chunks, type Sql } from './differences.ts';
import { originalOf } from './rows.ts';
import { miscounts } from './sql-counts.ts';
import { isOpen } from './sql-uploads.ts';
import type { Ledger, StoredOriginal } from './store.ts';

export const storedBytes = async ({ db }: Sql): Promise<number> => {
  // A sum of 64-bit numbers has a type of its own in PostgreSQL.
  const { bytes } = await db
    .selectFrom('images')
    .select(raw<number | null>`cast(sum(bytes) as bigint)`.as('bytes'))
    .where('blob', '<>', '')
    .executeTakeFirstOrThrow();
  const { received } = await db
    .selectFrom('uploads')
    .select(raw<number | null>`cast(sum(received) as bigint)`.as('received'))
    .where(isOpen)
    .executeTakeFirstOrThrow();
  return (bytes ?? 0) + (received ?? 0);
};

const strayOutbox = raw<SqlBool>`
  not exists (
    select 1 from images
    where images.id = outbox.image_id and images.generation = outbox.generation and images.waiting_since is not null
  )`;
const withoutImage = (table: 'results' | 'thumbnails') => raw<SqlBool>`
  not exists (select 1 from images where images.id = ${raw.ref(`${table}.image_id`)})`;

/** One statement, and one for the counts, so that what each compares was true at the same moment. */
export const ledger = async ({ db }: Sql): Promise<Ledger> => {
  const row = await db
    .selectFrom('images')
    .select(({ fn, selectFrom }) => {
      const inState = (state: ImageState) => fn.countAll<number>().filterWhere('state', '=', state).as(state);
      const count = fn.countAll<number>().as('n');
      return [
        ...[
          inState('queued'),
          inState('processing'),
          inState('succeeded'),
          inState('failed'),
          inState('dead'),
        ],
        selectFrom('outbox').select(count).as('outbox'),
        selectFrom('outbox').select(count).where(strayOutbox).as('strayOutbox'),
        selectFrom('results').select(count).where(withoutImage('results')).as('strayResults'),
        selectFrom('thumbnails').select(count).where(withoutImage('thumbnails')).as('strayThumbnails'),
      ];
    })
    .executeTakeFirstOrThrow();
  const { queued, processing, succeeded, failed, dead } = row;
  return {
    states: { queued, processing, succeeded, failed, dead },
    outbox: row.outbox ?? 0,
    strayOutbox: row.strayOutbox ?? 0,
    strayResults: (row.strayResults ?? 0) + (row.strayThumbnails ?? 0),
    miscounted: (await miscounts(db)).length,
  };
};

export const originals = async (
  { db }: Sql,
  after: string | undefined,
  limit: number,
): Promise<StoredOriginal[]> => {
  const rows = await db
    .selectFrom('images')
    .select(['id', 'state', 'blob'])
    .where('id', '>', after ?? '')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(originalOf);
};

export const existing = async (sql: Sql, ids: readonly string[]): Promise<Set<string>> => {
  const found = new Set<string>();
  for (const part of chunks(sql, ids, 1)) {
    const rows = await sql.db.selectFrom('images').select('id').where('id', 'in', part).execute();
    for (const { id } of rows) found.add(id);
  }
  return found;
};
