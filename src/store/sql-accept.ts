import { batch } from './batch.ts';
import { chunks, type Sql } from './differences.ts';
import { imageRowColumns, imageRowNames, newImageRow } from './rows.ts';
import type { ImageRow, Tables, Trx } from './schema.ts';
import { writeEvents } from './sql-events.ts';
import { finishUploads } from './sql-uploads.ts';
import { type Acceptance, StoreError, type Submission } from './store.ts';

type Key = NonNullable<Submission['idempotency']>;

/** Takes the keys that nobody has used. Returns those that somebody has, with what they stand for. */
const takeKeys = async (sql: Sql, trx: Trx, keys: readonly Key[], now: number): Promise<Map<string, Key>> => {
  const used = new Map<string, Key>();
  for (const part of chunks(sql, keys, 4)) {
    const taken = await trx
      .insertInto('idempotency_keys')
      .values(part.map(({ key, fingerprint, response }) => ({ key, fingerprint, response, created_at: now })))
      .onConflict((conflict) => conflict.column('key').doNothing())
      .returning('key')
      .execute();
    if (taken.length === part.length) continue;
    const ours = new Set(taken.map(({ key }) => key));
    const others = part.filter(({ key }) => !ours.has(key)).map(({ key }) => key);
    const rows = await trx
      .selectFrom('idempotency_keys')
      .select(['key', 'fingerprint', 'response'])
      .where('key', 'in', others)
      .execute();
    // With several writers it may have expired between the two statements.
    if (rows.length !== others.length) throw new StoreError('busy', 'an idempotency key has just expired');
    for (const row of rows) used.set(row.key, row);
  }
  return used;
};

const byKey = (a: Key, b: Key): number => (a.key < b.key ? -1 : 1);

/** The first use of a key decides, in earlier calls as in this one. */
const decide = async (
  sql: Sql,
  trx: Trx,
  submissions: readonly Submission[],
  now: number,
): Promise<Acceptance[]> => {
  const first = new Map<string, Key>();
  for (const { idempotency: key } of submissions) if (key && !first.has(key.key)) first.set(key.key, key);
  // Sorted, so that two transactions with the same keys do not wait for each other in a circle.
  const used = await takeKeys(sql, trx, [...first.values()].sort(byKey), now);
  const uploads = submissions.flatMap(({ upload }) => upload ?? []);
  const finished = await finishUploads(sql, trx, uploads, now);
  return submissions.map(({ idempotency: key, upload }) => {
    // The first of two in one call.
    if (upload !== undefined) return { kind: finished.delete(upload) ? 'accepted' : 'ended' };
    if (!key) return { kind: 'accepted' };
    const use = used.get(key.key);
    if (!use) {
      used.set(key.key, key);
      return { kind: 'accepted' };
    }
    if (use.fingerprint !== key.fingerprint) return { kind: 'conflict' };
    // A response tells the IDs, so this one is our own, of a commit whose outcome we never learnt.
    if (use.response === key.response) return { kind: 'accepted' };
    return { kind: 'repeated', response: use.response };
  });
};

interface Accepted {
  readonly row: ImageRow;
  readonly traceparent: string | null;
}

const insertImageRows = batch<ImageRow, Pick<ImageRow, 'id'>>(
  imageRowColumns,
  (input) => `insert into images (${imageRowNames}) select ${imageRowNames} from ${input} where true
    on conflict (id) do nothing returning id`,
);
const insertOutboxRows = batch<Tables['outbox']>(
  { image_id: 'text', generation: 'number', due_at: 'number', added_at: 'number', traceparent: 'text' },
  (input) => `insert into outbox (image_id, generation, due_at, added_at, traceparent)
    select image_id, generation, due_at, added_at, traceparent from ${input}`,
  { silent: true },
);

/** Stores images, each with its outbox row. Those that are there already are left alone; returns the others. */
const insertImages = async (
  sql: Sql,
  trx: Trx,
  images: readonly Accepted[],
  dueAt: number,
): Promise<readonly Accepted[]> => {
  const taken = await insertImageRows(
    sql,
    trx,
    images.map(({ row }) => row),
  );
  const ours = new Set(taken.map(({ id }) => id));
  const inserted = taken.length === images.length ? images : images.filter(({ row }) => ours.has(row.id));
  await insertOutboxRows(
    sql,
    trx,
    inserted.map(({ row, traceparent }) => ({
      ...{ image_id: row.id, generation: 1 },
      ...{ due_at: dueAt, added_at: row.submitted_at, traceparent },
    })),
  );
  return inserted;
};

/** Safe to repeat after a commit of unknown outcome: what that call stored counts as accepted, and is not stored again. */
export const accept = (
  sql: Sql,
  submissions: readonly Submission[],
  leaseMs: number,
): Promise<Acceptance[]> =>
  sql.db.transaction().execute(async (trx) => {
    const now = Date.now();
    const acceptances = await decide(sql, trx, submissions, now);
    const images = submissions
      .filter((_, index) => acceptances[index]?.kind === 'accepted')
      .flatMap(({ images, traceparent = null }) =>
        images.map((image) => ({ row: newImageRow(image, now), traceparent })),
      );
    const inserted = await insertImages(sql, trx, images, now + leaseMs);
    await writeEvents(
      sql,
      trx,
      inserted.map(({ row, traceparent }) => ({ before: null, after: row, traceparent })),
    );
    return acceptances;
  });
