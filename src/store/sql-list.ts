import { setImmediate } from 'node:timers/promises';
import type { Sql } from './differences.ts';
import { folded, idBound, imageColumns, imageOf, millis } from './rows.ts';
import { type ImagePage, type ImageQuery, InvalidCursor } from './store.ts';

const encodeCursor = (id: string): string => Buffer.from(id).toString('base64url');

const decodeCursor = (cursor: string): string => {
  const id = Buffer.from(cursor, 'base64url').toString();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) && encodeCursor(id) === cursor) return id;
  throw new InvalidCursor('this is no cursor of a page of images');
};

/** Images that pass every filter but `text`, newest first. */
const filtered = ({ db }: Sql, { state, label, from, until }: ImageQuery, below: string | undefined) => {
  let images = db.selectFrom('images').orderBy('id', 'desc');
  if (below !== undefined) images = images.where('id', '<', below);
  if (from !== undefined) images = images.where('id', '>=', idBound(millis(from)));
  if (until !== undefined) images = images.where('id', '<', idBound(millis(until)));
  if (label === undefined) return state === undefined ? images : images.where('state', '=', state);
  // Only a success has a label. Asked for both, a database may choose the index by state and read every success.
  if (state !== undefined && state !== 'succeeded') images = images.where('id', '=', '');
  return images.where('label', '=', label);
};

/** File names compared in one go. An embedded database works on the server's own thread; this many take a few ms. */
const slice = 5_000;

/** IDs of the first `wanted` images whose name contains the text: slice by slice, so that others get their turn. */
const search = async (
  sql: Sql,
  query: ImageQuery,
  below: string | undefined,
  text: string,
  wanted: number,
) => {
  const ids: string[] = [];
  let start = below;
  for (;;) {
    const end = await filtered(sql, query, start)
      .select('id')
      .offset(slice - 1)
      .limit(1)
      .executeTakeFirst();
    const found = await filtered(sql, query, start)
      .select('id')
      .$if(end !== undefined, (images) => images.where('id', '>=', end?.id ?? ''))
      .where(({ ref }) => sql.differences.contains(ref('filename_folded'), text))
      .limit(wanted - ids.length)
      .execute();
    ids.push(...found.map(({ id }) => id));
    if (end === undefined || ids.length >= wanted) return ids;
    start = end.id;
    await setImmediate();
  }
};

export const images = async (sql: Sql, query: ImageQuery): Promise<ImagePage> => {
  const { text, limit } = query;
  const below = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  // One more than the page holds shows whether there is another page.
  const ids = text ? await search(sql, query, below, folded(text), limit + 1) : undefined;
  if (ids?.length === 0) return { images: [], next: null };
  const rows = await (ids === undefined
    ? filtered(sql, query, below).limit(limit + 1)
    : sql.db.selectFrom('images').where('id', 'in', ids).orderBy('id', 'desc')
  )
    .select(imageColumns)
    .execute();
  const page = rows.slice(0, limit);
  const last = ids ? ids[limit - 1] : page.at(-1)?.id;
  const more = (ids ?? rows).length > limit;
  return { images: page.map(imageOf), next: more && last ? encodeCursor(last) : null };
};
