import { type RawBuilder, sql as raw, type SqlBool } from 'kysely';
import type { ImageState } from '../pipeline/image.ts';
import { chunks, type Sql } from './differences.ts';
import { originalOf } from './rows.ts';
import type { StoredOriginal } from './store.ts';

const finalStates = ['succeeded', 'failed', 'dead'] as const satisfies ImageState[];

/** Final images, in the words of their indexes: SQLite takes an index for no others. */
export const withOriginal = raw<SqlBool>`waiting_since is null and blob <> ''`;
const withoutOriginal = raw<SqlBool>`waiting_since is null and blob = ''`;

/**
 * Final images accepted before a time, oldest first. State by state, each a range of an index: what is read does not
 * depend on how many others, unfinished or without original, lie in between.
 */
const old = async (
  { db }: Sql,
  before: number,
  limit: number,
  which: readonly RawBuilder<SqlBool>[],
): Promise<StoredOriginal[]> => {
  const found: StoredOriginal[] = [];
  for (const condition of which)
    for (const state of finalStates) {
      const rows = await db
        .selectFrom('images')
        .select(['id', 'state', 'blob'])
        .where('state', '=', state)
        .where('created_at', '<', before)
        .where(condition)
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit)
        .execute();
      found.push(...rows.map(originalOf));
    }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
};

export const oldImages = (sql: Sql, before: number, limit: number): Promise<StoredOriginal[]> =>
  old(sql, before, limit, [withOriginal, withoutOriginal]);

export const oldOriginals = (sql: Sql, before: number, limit: number): Promise<StoredOriginal[]> =>
  old(sql, before, limit, [withOriginal]);

export const originalsRemoved = (sql: Sql, ids: readonly string[]): Promise<void> =>
  sql.db.transaction().execute(async (trx) => {
    for (const part of chunks(sql, [...ids].sort(), 1))
      await trx.updateTable('images').set({ blob: '' }).where('id', 'in', part).where(withOriginal).execute();
  });
