import { sql as raw } from 'kysely';
import { type ImageState, isFinal } from '../pipeline/image.ts';
import { timeOf } from '../pipeline/image-id.ts';
import { batch } from './batch.ts';
import type { Sql } from './differences.ts';
import { iso } from './rows.ts';
import type { Db, ImageRow, Tables, Trx } from './schema.ts';
import type { Flow, Summary } from './store.ts';

type Counted = Pick<ImageRow, 'state' | 'label'>;
/** One image as it was and as it is; null: not there. */
export interface Change {
  readonly before: Counted | null;
  readonly after: Counted | null;
}
type Count = Omit<Tables['counts'], 'at'>;

/** One of each kind and name, none of them 0. */
const summed = (counts: Iterable<Count>): Count[] => {
  const sums: Count[] = [];
  for (const { kind, name, n } of counts) {
    const sum = sums.find((one) => one.kind === kind && one.name === name);
    if (sum === undefined) sums.push({ kind, name, n });
    else sum.n += n;
  }
  return sums.filter(({ n }) => n !== 0);
};

function* countsOf(changes: readonly Change[]): Generator<Count> {
  for (const { before, after } of changes) {
    for (const [image, n] of [
      [before, -1],
      [after, 1],
    ] as const) {
      if (image === null) continue;
      yield { kind: 'state', name: image.state, n };
      if (image.label !== null) yield { kind: 'label', name: image.label, n };
    }
    if (before === null) yield { kind: 'accepted', name: '', n: 1 };
    else if (after !== null && isFinal(after.state)) yield { kind: 'finished', name: '', n: 1 };
  }
}

const insertCounts = batch<Tables['counts']>(
  { at: 'number', kind: 'text', name: 'text', n: 'number' },
  (input) => `insert into counts (at, kind, name, n) select at, kind, name, n from ${input} where true
    on conflict (at, kind, name) do update set n = counts.n + excluded.n`,
  { silent: true },
);

/** To be called by one transaction at a time. */
const addCounts = async (sql: Sql, trx: Trx, at: number, counts: readonly Count[]): Promise<void> => {
  await insertCounts(
    sql,
    trx,
    counts.map((count) => ({ ...count, at })),
  );
};

/**
 * Counts what becomes of images, once the transaction's turn has come ({@link Differences.orderEvents}). Each second
 * has rows of its own until {@link mergeCounts}: one row that every transaction writes would, in PostgreSQL, leave as many
 * dead ones behind for each to step over as there were transactions since the oldest snapshot, such as a backup's.
 */
export const count = (sql: Sql, trx: Trx, changes: readonly Change[]): Promise<void> =>
  addCounts(sql, trx, Math.floor(Date.now() / 1000) * 1000, summed(countsOf(changes)));

export const mergeCounts = (sql: Sql, before: number): Promise<void> =>
  sql.db.transaction().execute(async (trx) => {
    await sql.differences.orderEvents(trx);
    await trx
      .deleteFrom('counts')
      .where('kind', 'in', ['accepted', 'finished'])
      .where('at', '<', before)
      .execute();
    const merged = await trx
      .deleteFrom('counts')
      .where('at', '>', 0)
      .where('kind', 'in', ['state', 'label'])
      .returning(['kind', 'name', 'n'])
      .execute();
    await addCounts(sql, trx, 0, summed(merged));
  });

/** What the counts lack, by the images themselves; one statement, so that both are of the same moment. */
export const miscounts = async (db: Db | Trx): Promise<Count[]> => {
  const { rows } = await raw<Count>`
    select kind, name, cast(sum(n) as bigint) as n from (
      select 'state' as kind, state as name, count(*) as n from images group by state
      union all
      select 'label', label, count(*) from images where label is not null group by label
      union all
      select kind, name, -n from counts where kind in ('state', 'label')
    ) as counted group by kind, name having sum(n) <> 0
  `.execute(db);
  return rows;
};

/** Within a transaction whose turn it is. */
export const correctCounts = async (sql: Sql, trx: Trx): Promise<void> =>
  addCounts(sql, trx, 0, await miscounts(trx));

export const recount = async (sql: Sql): Promise<boolean> => {
  // Nobody has to wait while all is well.
  if ((await miscounts(sql.db)).length === 0) return false;
  await sql.db.transaction().execute(async (trx) => {
    await sql.differences.orderEvents(trx);
    await correctCounts(sql, trx);
  });
  return true;
};

const flowSince = async (db: Db, since: number): Promise<Flow[]> => {
  const rows = await db
    .selectFrom('counts')
    .select(['at', 'kind', 'n'])
    .where('at', '>=', since)
    .where('kind', 'in', ['accepted', 'finished'])
    .orderBy('at')
    .execute();
  const seconds = Map.groupBy(rows, ({ at }) => at);
  return [...seconds].map(([at, counts]) => {
    const of = (kind: Count['kind']) => counts.find((one) => one.kind === kind)?.n ?? 0;
    return { at: iso(at), accepted: of('accepted'), finished: of('finished') };
  });
};

const oldestUnfinished = async (db: Db): Promise<string | null> => {
  // Each the beginning of a range of an index, however many there are.
  const oldestIn = (state: ImageState) =>
    raw<string | null>`(select min(id) from images where state = ${state})`;
  const { rows } = await raw<Record<'queued' | 'processing', string | null>>`
    select ${oldestIn('queued')} as queued, ${oldestIn('processing')} as processing
  `.execute(db);
  const [oldest] = rows.flatMap(({ queued, processing }) => [queued ?? [], processing ?? []].flat()).sort();
  return oldest === undefined ? null : iso(timeOf(oldest));
};

export const summary = async ({ db }: Sql, since: number): Promise<Summary> => {
  const counts = await db
    .selectFrom('counts')
    .select(['kind', 'name'])
    .select(raw<number>`cast(sum(n) as bigint)`.as('n'))
    .where('kind', 'in', ['state', 'label'])
    .groupBy(['kind', 'name'])
    .orderBy('name')
    .execute();
  const named = (kind: Count['kind']): [name: string, n: number][] =>
    counts.filter((one) => one.kind === kind && one.n > 0).map(({ name, n }) => [name, n]);
  const none = { queued: 0, processing: 0, succeeded: 0, failed: 0, dead: 0 };
  return {
    states: { ...none, ...(Object.fromEntries(named('state')) as Partial<Record<ImageState, number>>) },
    labels: Object.fromEntries(named('label')),
    oldestUnfinishedAt: await oldestUnfinished(db),
    flow: await flowSince(db, since),
  };
};
