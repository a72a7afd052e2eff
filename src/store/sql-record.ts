import { isFinal } from '../pipeline/image.ts';
import type { Outcome, ProcessingHint } from '../pipeline/message.ts';
import { chunks, type Sql } from './differences.ts';
import type { ImageRow, Tables, Trx } from './schema.ts';
import { type Written, writeEvents } from './sql-events.ts';
import type { Recorded, TracedOutcome } from './store.ts';

/** The images of these IDs as they are, held until the transaction ends. */
export const lockImages = async (
  sql: Sql,
  trx: Trx,
  ids: readonly string[],
): Promise<Map<string, ImageRow>> => {
  const rows = new Map<string, ImageRow>();
  // Sorted, so that two transactions do not wait for each other in a circle.
  for (const part of chunks(sql, [...new Set(ids)].sort(), 1)) {
    const found = await trx
      .selectFrom('images')
      .selectAll()
      .where('id', 'in', part)
      .orderBy('id')
      .$if(sql.differences.concurrentWriters, (query) => query.forUpdate())
      .execute();
    for (const row of found) rows.set(row.id, row);
  }
  return rows;
};

/** Writes changed rows of images that exist, all in one statement (an update takes one set of values only). */
export const writeImages = async (sql: Sql, trx: Trx, rows: readonly ImageRow[]): Promise<void> => {
  for (const part of chunks(sql, rows, 21))
    await trx
      .insertInto('images')
      .values(part)
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet(({ ref }) => ({
          state: ref('excluded.state'),
          width: ref('excluded.width'),
          height: ref('excluded.height'),
          generation: ref('excluded.generation'),
          attempts: ref('excluded.attempts'),
          label: ref('excluded.label'),
          result: ref('excluded.result'),
          error_code: ref('excluded.error_code'),
          error_message: ref('excluded.error_message'),
          submitted_at: ref('excluded.submitted_at'),
          updated_at: ref('excluded.updated_at'),
          waiting_since: ref('excluded.waiting_since'),
        })),
      )
      .execute();
};

export const started = (sql: Sql, hints: readonly ProcessingHint[]): Promise<void> =>
  sql.db.transaction().execute(async (trx) => {
    const now = Date.now();
    const before = await lockImages(
      sql,
      trx,
      hints.map((hint) => hint.id),
    );
    const images = new Map(before);
    const changed = new Map<string, ImageRow>();
    for (const hint of hints) {
      const row = images.get(hint.id);
      if (row === undefined || isFinal(row.state) || row.generation !== hint.generation) continue;
      if (row.state === 'processing' && hint.attempt <= row.attempts) continue;
      const attempts = Math.max(row.attempts, hint.attempt);
      const next: ImageRow = { ...row, state: 'processing', attempts, updated_at: now, waiting_since: now };
      images.set(hint.id, next);
      changed.set(next.id, next);
    }
    const rows = [...changed.values()];
    await writeImages(sql, trx, rows);
    const changes = rows.map((after) => ({ before: before.get(after.id) ?? null, after }));
    await writeEvents(sql, trx, changes);
  });

const after = (row: ImageRow, outcome: Outcome, now: number): ImageRow => {
  const picture = outcome.kind === 'dead' ? null : outcome.picture;
  const result = outcome.kind === 'succeeded' ? outcome.result : null;
  const error = outcome.kind === 'succeeded' ? null : outcome.error;
  return {
    ...row,
    state: outcome.kind,
    width: picture?.width ?? row.width,
    height: picture?.height ?? row.height,
    attempts: outcome.attempt,
    label: result?.label ?? null,
    result: result && JSON.stringify(result),
    error_code: error?.code ?? null,
    error_message: error?.message ?? null,
    updated_at: now,
    waiting_since: null,
  };
};

const keepHistory = async (sql: Sql, trx: Trx, rows: readonly Tables['results'][]): Promise<void> => {
  for (const part of chunks(sql, rows, 6))
    await trx
      .insertInto('results')
      .values(part)
      .onConflict((conflict) => conflict.columns(['image_id', 'generation', 'model_digest']).doNothing())
      .execute();
};

const keepThumbnails = async (sql: Sql, trx: Trx, rows: readonly Tables['thumbnails'][]): Promise<void> => {
  for (const part of chunks(sql, rows, 2))
    await trx
      .insertInto('thumbnails')
      .values(part)
      .onConflict((conflict) =>
        conflict.column('image_id').doUpdateSet(({ ref }) => ({ webp: ref('excluded.webp') })),
      )
      .execute();
};

export const record = (sql: Sql, outcomes: readonly TracedOutcome[]): Promise<Recorded[]> =>
  sql.db.transaction().execute(async (trx) => {
    const now = Date.now();
    const images = await lockImages(
      sql,
      trx,
      outcomes.map((outcome) => outcome.id),
    );
    const changes: Written[] = [];
    const history: Tables['results'][] = [];
    const thumbnails: Tables['thumbnails'][] = [];
    const recorded = outcomes.map((outcome): Recorded => {
      const { id, generation, attempt } = outcome;
      const row = images.get(id);
      if (!row) return 'unknown';
      if (outcome.kind === 'succeeded')
        history.push({
          image_id: id,
          generation,
          model_digest: outcome.result.model.digest,
          attempt,
          result: JSON.stringify(outcome.result),
          recorded_at: now,
        });
      if (generation !== row.generation) return 'stale';
      if (isFinal(row.state)) return 'repeated';
      const next = after(row, outcome, now);
      images.set(id, next);
      changes.push({ before: row, after: next, traceparent: outcome.traceparent ?? null });
      if (outcome.kind !== 'dead' && outcome.picture)
        thumbnails.push({ image_id: id, webp: Buffer.from(outcome.picture.thumbnail, 'base64') });
      return 'recorded';
    });
    const changed = changes.map(({ after }) => after);
    await keepHistory(sql, trx, history);
    await writeImages(sql, trx, changed);
    await keepThumbnails(sql, trx, thumbnails);
    for (const part of chunks(sql, changed, 1))
      await trx
        .deleteFrom('outbox')
        .where(
          'image_id',
          'in',
          part.map((row) => row.id),
        )
        .execute();
    await writeEvents(sql, trx, changes);
    return recorded;
  });
