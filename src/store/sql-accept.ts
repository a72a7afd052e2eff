import { chunks, type Sql } from './differences.ts';
import { newImageRow } from './rows.ts';
import type { Trx } from './schema.ts';
import { writeEvents } from './sql-events.ts';
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
  return submissions.map(({ idempotency: key }) => {
    if (!key) return { kind: 'accepted' };
    const use = used.get(key.key);
    if (!use) {
      used.set(key.key, key);
      return { kind: 'accepted' };
    }
    return use.fingerprint === key.fingerprint
      ? { kind: 'repeated', response: use.response }
      : { kind: 'conflict' };
  });
};

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
      .flatMap((submission) => submission.images.map((image) => newImageRow(image, now)));
    for (const rows of chunks(sql, images, 21)) {
      await trx.insertInto('images').values(rows).execute();
      await trx
        .insertInto('outbox')
        .values(rows.map(({ id }) => ({ image_id: id, generation: 1, due_at: now + leaseMs })))
        .execute();
    }
    await writeEvents(sql, trx, images);
    return acceptances;
  });
