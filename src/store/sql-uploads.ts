import { sql as raw, type SqlBool } from 'kysely';
import { chunks, type Sql } from './differences.ts';
import { millis } from './rows.ts';
import type { Trx, UploadRow } from './schema.ts';
import type { NewUpload, StoredUpload, UploadEnd, UploadRefusal } from './uploads.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

/** Uploads that are open, in the words of their index: SQLite does not take a partial one for a value that it learns later. */
export const isOpen = raw<SqlBool>`state = 'open'`;

const uploadOf = (row: UploadRow, parts: readonly string[]): StoredUpload => ({
  id: row.id,
  state: row.state,
  filename: row.filename,
  bytes: row.bytes,
  received: row.received,
  parts,
  imageId: row.image_id,
  refusal: row.refusal === null ? null : (JSON.parse(row.refusal) as UploadRefusal),
  expiresAt: iso(row.expires_at),
});

export const installation = async ({ db }: Sql): Promise<string> =>
  (await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()).id;

export const createUpload = async ({ db }: Sql, upload: NewUpload): Promise<void> => {
  const { id, filename, bytes, expiresAt } = upload;
  const times = { updated_at: Date.now(), expires_at: millis(expiresAt) };
  const outcome = { image_id: null, refusal: null };
  await db
    .insertInto('uploads')
    .values({ id, state: 'open', filename, bytes, received: 0, ...outcome, ...times })
    .execute();
};

export const upload = ({ db }: Sql, id: string): Promise<StoredUpload | undefined> =>
  db.transaction().execute(async (trx) => {
    // First the row: parts that are appended between the two reads are more than it tells of, and left out.
    const row = await trx.selectFrom('uploads').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) return undefined;
    const parts = await trx
      .selectFrom('upload_parts')
      .select('blob')
      .where('upload_id', '=', id)
      .where('start', '<', row.received)
      .orderBy('start')
      .execute();
    return uploadOf(
      row,
      parts.map(({ blob }) => blob),
    );
  });

export const appendPart = (
  { db }: Sql,
  id: string,
  at: number,
  { blob, bytes }: { readonly blob: string; readonly bytes: number },
  expiresAt: number,
): Promise<boolean> =>
  db.transaction().execute(async (trx) => {
    const appended = await trx
      .updateTable('uploads')
      .set({ received: at + bytes, updated_at: Date.now(), expires_at: expiresAt })
      .where('id', '=', id)
      .where('state', '=', 'open')
      .where('received', '=', at)
      .where('bytes', '>=', at + bytes)
      .returning('id')
      .execute();
    if (appended.length === 0) return false;
    await trx.insertInto('upload_parts').values({ upload_id: id, start: at, blob }).execute();
    return true;
  });

export const claimUpload = ({ db }: Sql, id: string, imageId: string): Promise<string | undefined> =>
  db.transaction().execute(async (trx) => {
    const complete = () =>
      trx
        .updateTable('uploads')
        .where('id', '=', id)
        .where('state', '=', 'open')
        .whereRef('received', '=', 'bytes');
    await complete().set({ image_id: imageId }).where('image_id', 'is', null).execute();
    const [row] = await complete().set({ updated_at: Date.now() }).returning('image_id').execute();
    return row?.image_id ?? undefined;
  });

export const endUpload = async ({ db }: Sql, id: string, end: UploadEnd): Promise<boolean> => {
  const { state, ...refusal } = end;
  const ended = await db
    .updateTable('uploads')
    .set({ state, refusal: state === 'refused' ? JSON.stringify(refusal) : null, updated_at: Date.now() })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .returning('id')
    .execute();
  return ended.length > 0;
};

/** Marks open uploads as finished. Returns those that were open; who is told of one may make its image. */
export const finishUploads = async (
  sql: Sql,
  trx: Trx,
  ids: readonly string[],
  now: number,
): Promise<Set<string>> => {
  const finished = new Set<string>();
  for (const part of chunks(sql, ids, 1)) {
    const rows = await trx
      .updateTable('uploads')
      .set({ state: 'finished', updated_at: now })
      .where('id', 'in', part)
      .where('state', '=', 'open')
      .returning('id')
      .execute();
    for (const { id } of rows) finished.add(id);
  }
  return finished;
};

export const partsRemoved = async ({ db }: Sql, id: string): Promise<void> => {
  await db.deleteFrom('upload_parts').where('upload_id', '=', id).execute();
};

export const completeUploads = async (
  { db }: Sql,
  unchangedSince: number,
  limit: number,
): Promise<string[]> => {
  const rows = await db
    .selectFrom('uploads')
    .select('id')
    .where(isOpen)
    .whereRef('received', '=', 'bytes')
    .where('updated_at', '<', unchangedSince)
    .orderBy('expires_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
};

export const expireUploads = async ({ db }: Sql, before: number, limit: number): Promise<number> => {
  const expired = await db
    .updateTable('uploads')
    .set({ state: 'gone' })
    .where('state', '=', 'open')
    .whereRef('received', '<', 'bytes')
    .where('expires_at', '<', before)
    .where('id', 'in', (from) =>
      from
        .selectFrom('uploads')
        .select('id')
        .where(isOpen)
        .whereRef('received', '<', 'bytes')
        .where('expires_at', '<', before)
        .orderBy('expires_at')
        .limit(limit),
    )
    .returning('id')
    .execute();
  return expired.length;
};

export const endedUploads = async ({ db }: Sql, limit: number): Promise<string[]> => {
  // Not joined: SQLite would go through all uploads in search of their parts, which few of them have.
  const rows = await db
    .selectFrom('upload_parts')
    .select('upload_id')
    .distinct()
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('uploads')
          .select('id')
          .whereRef('uploads.id', '=', 'upload_parts.upload_id')
          .where('state', '<>', 'open'),
      ),
    )
    .orderBy('upload_id')
    .limit(limit)
    .execute();
  return rows.map(({ upload_id }) => upload_id);
};

export const forgetUploads = async ({ db }: Sql, before: number, limit: number): Promise<number> => {
  const forgotten = await db
    .deleteFrom('uploads')
    .where('id', 'in', (from) =>
      from
        .selectFrom('uploads')
        .select('id')
        .where('state', '<>', 'open')
        .where('expires_at', '<', before)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('upload_parts')
                .select('start')
                .whereRef('upload_parts.upload_id', '=', 'uploads.id'),
            ),
          ),
        )
        .orderBy('expires_at')
        .limit(limit),
    )
    .returning('id')
    .execute();
  return forgotten.length;
};

export const openUploads = async ({ db }: Sql): Promise<number> => {
  const { n } = await db
    .selectFrom('uploads')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where(isOpen)
    .executeTakeFirstOrThrow();
  return n;
};

export const claimedImages = async (sql: Sql, imageIds: readonly string[]): Promise<Set<string>> => {
  const claimed = new Set<string>();
  for (const part of chunks(sql, imageIds, 1)) {
    const rows = await sql.db
      .selectFrom('uploads')
      .select('image_id')
      .where('image_id', 'in', part)
      .where('state', '=', 'open')
      .execute();
    for (const { image_id } of rows) if (image_id !== null) claimed.add(image_id);
  }
  return claimed;
};

export const livingParts = async (sql: Sql, keys: readonly string[]): Promise<Set<string>> => {
  const living = new Set<string>();
  for (const part of chunks(sql, keys, 1)) {
    const rows = await sql.db
      .selectFrom('upload_parts')
      .innerJoin('uploads', 'uploads.id', 'upload_parts.upload_id')
      .select('upload_parts.blob')
      .where('upload_parts.blob', 'in', part)
      .where('uploads.state', '=', 'open')
      .execute();
    for (const { blob } of rows) living.add(blob);
  }
  return living;
};
