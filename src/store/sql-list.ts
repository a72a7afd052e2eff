import { setImmediate } from 'node:timers/promises';
import { sql as raw, type SqlBool } from 'kysely';
import type { Sql } from './differences.ts';
import { folded, idBound, imageColumns, imageOf, millis } from './rows.ts';
import { type ImagePage, type ImageQuery, InvalidCursor } from './store.ts';

const encodeCursor = (id: string): string => Buffer.from(id).toString('base64url');

const decodeCursor = (cursor: string): string => {
  const id = Buffer.from(cursor, 'base64url').toString();
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) && encodeCursor(id) === cursor) return id;
  throw new InvalidCursor('this is no cursor of a page of images');
};

/** IDs from `atLeast` to below `below`. */
interface Range {
  readonly atLeast: string;
  readonly below: string;
}

/** The range of a page and its time filters; `g` sorts after every ID. */
const rangeOf = ({ from, until }: ImageQuery, below = 'g'): Range => {
  const end = until === undefined ? below : idBound(millis(until));
  return {
    atLeast: from === undefined ? '' : idBound(millis(from)),
    below: end < below ? end : below,
  };
};

interface Group {
  readonly column: 'sha256' | 'state' | 'label';
  readonly value: string;
}

/** What is asked for, the smallest group first. Only a success has a label, so that the label alone says it all. */
const groupsOf = ({ sha256, state, label }: ImageQuery): Group[] => {
  const groups: Group[] = [];
  if (sha256 !== undefined) groups.push({ column: 'sha256', value: sha256 });
  if (label !== undefined) groups.push({ column: 'label', value: label });
  else if (state !== undefined) groups.push({ column: 'state', value: state });
  return groups;
};

/**
 * Images of a range and of the first group, newest first, as a range of one index whatever is asked for. A group is asked for by a range of
 * (group, ID) and not by its name: a database that knows it for one group may take the primary key, being in order
 * too, and read every image of other groups on the way, such as a backlog.
 */
const newest = ({ db }: Sql, query: ImageQuery, { atLeast, below }: Range) => {
  const [group] = groupsOf(query);
  const images = db.selectFrom('images');
  if (group === undefined)
    return images.where('id', '<', below).where('id', '>=', atLeast).orderBy('id', 'desc');
  const { column, value } = group;
  return images
    .where(raw<SqlBool>`(${raw.ref(column)}, id) < (${value}, ${below})`)
    .where(raw<SqlBool>`(${raw.ref(column)}, id) >= (${value}, ${atLeast})`)
    .where(column, 'is not', null)
    .orderBy(column, 'desc')
    .orderBy('id', 'desc');
};

/** Whether the first group has images that are not asked for. */
const isSearch = (query: ImageQuery): boolean => Boolean(query.text) || groupsOf(query).length > 1;

/** IDs of those in the range that are asked for, newest first. */
const matching = (sql: Sql, query: ImageQuery, { atLeast, below }: Range) => {
  const [group, second] = groupsOf(query);
  let images = sql.db.selectFrom('images').where('id', '<', below).where('id', '>=', atLeast);
  // In a range with two ends any index will do, unless there are two groups: the second may be nearly all there is.
  if (group !== undefined) images = images.where(raw<SqlBool>`${raw.ref(group.column)} = ${group.value}`);
  if (second !== undefined)
    images = images.where(raw<SqlBool>`coalesce(${raw.ref(second.column)}, '') = ${second.value}`);
  const { text } = query;
  if (text)
    images = images.where(({ ref }) => sql.differences.contains(ref('filename_folded'), folded(text)));
  return images.select('id').orderBy('id', 'desc');
};

/** Images looked at in one go. An embedded database works on the server's own thread; this many take a few ms. */
const slice = 5_000;

/** IDs of the first `wanted` images that are asked for: slice by slice of their group, so that others get their turn. */
const search = async (sql: Sql, query: ImageQuery, range: Range, wanted: number) => {
  const ids: string[] = [];
  for (let { below } = range; ; ) {
    const end = await newest(sql, query, { ...range, below })
      .select('id')
      .offset(slice - 1)
      .limit(1)
      .executeTakeFirst();
    const part = { below, atLeast: end?.id ?? range.atLeast };
    const found = await matching(sql, query, part)
      .limit(wanted - ids.length)
      .execute();
    ids.push(...found.map(({ id }) => id));
    if (end === undefined || ids.length >= wanted) return ids;
    below = end.id;
    await setImmediate();
  }
};

export const images = async (sql: Sql, query: ImageQuery): Promise<ImagePage> => {
  const { limit } = query;
  const range = rangeOf(query, query.cursor === undefined ? undefined : decodeCursor(query.cursor));
  if (query.label !== undefined && (query.state ?? 'succeeded') !== 'succeeded')
    return { images: [], next: null };
  // One more than the page holds shows whether there is another page.
  const ids = isSearch(query) ? await search(sql, query, range, limit + 1) : undefined;
  if (ids?.length === 0) return { images: [], next: null };
  const rows = await (ids === undefined
    ? newest(sql, query, range).limit(limit + 1)
    : sql.db.selectFrom('images').where('id', 'in', ids).orderBy('id', 'desc')
  )
    .select(imageColumns)
    .execute();
  const page = rows.slice(0, limit);
  const last = ids ? ids[limit - 1] : page.at(-1)?.id;
  const more = (ids ?? rows).length > limit;
  return { images: page.map(imageOf), next: more && last ? encodeCursor(last) : null };
};
