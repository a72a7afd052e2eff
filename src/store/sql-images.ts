import type { Image } from '../pipeline/image.ts';
import { timeOf } from '../pipeline/image-id.ts';
import type { Sql } from './differences.ts';
import { blobIn, imageColumns, imageOf } from './rows.ts';
import type { Outstanding } from './store.ts';

export const image = async ({ db }: Sql, id: string): Promise<Image | undefined> => {
  const row = await db.selectFrom('images').select(imageColumns).where('id', '=', id).executeTakeFirst();
  return row && imageOf(row);
};

export const blobOf = async ({ db }: Sql, id: string): Promise<string | null | undefined> => {
  const row = await db.selectFrom('images').select('blob').where('id', '=', id).executeTakeFirst();
  return row && blobIn(row);
};

export const thumbnail = async ({ db }: Sql, id: string): Promise<Uint8Array | undefined> => {
  const row = await db.selectFrom('thumbnails').select('webp').where('image_id', '=', id).executeTakeFirst();
  return row?.webp;
};

export const outstanding = async ({ db }: Sql): Promise<Outstanding> => {
  const images = await db
    .selectFrom('images')
    .select(({ fn }) => [fn.countAll<number>().as('n'), fn.min('id').as('oldest')])
    .select(({ selectFrom }) => [
      selectFrom('outbox')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .as('outbox'),
      selectFrom('outbox')
        .select(({ fn }) => fn.min('added_at').as('oldest'))
        .as('oldestAddedAt'),
      selectFrom('images')
        .select(({ fn }) => fn.countAll<number>().as('n'))
        .where('state', '=', 'dead')
        .as('dead'),
    ])
    .where('waiting_since', 'is not', null)
    .executeTakeFirstOrThrow();
  return {
    images: images.n,
    oldestCreatedAt: images.oldest ? new Date(timeOf(images.oldest)).toISOString() : null,
    dead: images.dead ?? 0,
    outbox: images.outbox ?? 0,
    oldestOutboxAt: images.oldestAddedAt === null ? null : new Date(images.oldestAddedAt).toISOString(),
  };
};

export const atWork = async ({ db }: Sql, since: number): Promise<number> => {
  const { n } = await db
    .selectFrom('images')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('state', '=', 'processing')
    .where('updated_at', '>=', since)
    .executeTakeFirstOrThrow();
  return n;
};

/** Only a commit shows that there is space left and the file system still takes writes. */
export const ping = async ({ db }: Sql): Promise<void> => {
  await db
    .insertInto('heartbeat')
    .values({ id: 1, at: Date.now() })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(({ ref }) => ({ at: ref('excluded.at') })))
    .execute();
};
