import { isFinal } from '../pipeline/image.ts';
import type { Outcome, ProcessingHint } from '../pipeline/message.ts';
import { batch, each, type Kind } from './batch.ts';
import type { Sql } from './differences.ts';
import { imageRowNames } from './rows.ts';
import type { ImageRow, Tables, Trx } from './schema.ts';
import { type Written, writeEvents } from './sql-events.ts';
import type { Recorded, TracedOutcome } from './store.ts';

type Id = Pick<ImageRow, 'id'>;
const idColumn = { id: 'text' } as const;

const readImages = batch<Id, ImageRow>(
  idColumn,
  (input) => `select ${imageRowNames} from images where id in (select id from ${input}) order by id`,
);
const readImagesForUpdate = batch<Id, ImageRow>(
  idColumn,
  (input) =>
    `select ${imageRowNames} from images where id in (select id from ${input}) order by id for update`,
);

/** The images of these IDs as they are, held until the transaction ends. */
export const lockImages = async (
  sql: Sql,
  trx: Trx,
  ids: readonly string[],
): Promise<Map<string, ImageRow>> => {
  await sql.differences.lookUpByIndex(trx);
  // In their order, so that two transactions do not wait for each other in a circle.
  const read = sql.differences.concurrentWriters ? readImagesForUpdate : readImages;
  const rows = await read(
    sql,
    trx,
    ids.map((id) => ({ id })),
  );
  return new Map(rows.map((row) => [row.id, row]));
};

/** What becomes of an image in its time; the rest is as it was accepted. */
const changing = {
  ...{ state: 'text', width: 'number', height: 'number', generation: 'number', attempts: 'number' },
  ...{ label: 'text', result: 'text', error_code: 'text', error_message: 'text' },
  ...{ submitted_at: 'number', updated_at: 'number', waiting_since: 'number' },
} as const satisfies Partial<Record<keyof ImageRow, Kind>>;
const changingNames = Object.keys(changing) as (keyof typeof changing)[];

const updateImages = batch<Pick<ImageRow, keyof typeof changing | 'id'>>(
  { ...idColumn, ...changing },
  (input) => `update images set ${changingNames.map((name) => `${name} = input.${name}`).join(', ')}
    from ${input} where images.id = input.id`,
  { silent: true },
);

/** Writes changed rows of images that exist. */
export const writeImages = async (sql: Sql, trx: Trx, rows: readonly ImageRow[]): Promise<void> => {
  await updateImages(
    sql,
    trx,
    rows.map((row) => ({
      ...{ id: row.id, state: row.state, width: row.width, height: row.height },
      ...{ generation: row.generation, attempts: row.attempts, label: row.label, result: row.result },
      ...{ error_code: row.error_code, error_message: row.error_message },
      ...{ submitted_at: row.submitted_at, updated_at: row.updated_at, waiting_since: row.waiting_since },
    })),
  );
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

const keepHistory = batch<Tables['results']>(
  {
    ...{ image_id: 'text', generation: 'number', model_digest: 'text', attempt: 'number' },
    ...{ result: 'text', recorded_at: 'number' },
  },
  (input) => `insert into results (image_id, generation, model_digest, attempt, result, recorded_at)
    select image_id, generation, model_digest, attempt, result, recorded_at from ${input} where true
    on conflict (image_id, generation, model_digest) do nothing`,
  { silent: true },
);

const dropFromOutbox = batch<Id>(
  idColumn,
  (input) => `delete from outbox where image_id in (select id from ${input})`,
  { silent: true },
);

const keepThumbnails = each<Tables['thumbnails']>(
  ['image_id', 'webp'],
  (names, parameters) => `insert into thumbnails (${names}) values (${parameters})
    on conflict (image_id) do update set webp = excluded.webp`,
);

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
    await dropFromOutbox(
      sql,
      trx,
      changed.map(({ id }) => ({ id })),
    );
    await writeEvents(sql, trx, changes);
    return recorded;
  });
