import pg from 'pg';

/** What the database says of everything that was ever accepted, past Gantry. */
export interface Stored {
  readonly images: ReadonlyMap<string, StoredImage>;
  readonly outbox: number;
}
export interface StoredImage {
  readonly state: string;
  readonly attempts: number;
  readonly blob: string | null;
  /** Rows in `results`, of every generation. */
  readonly results: number;
  /** Events that tell of an end, and the time of the first one. */
  readonly endings: number;
  readonly endedAt: number;
}

const query = `
  select images.id, images.state, images.attempts, images.blob,
    (select count(*) from results where results.image_id = images.id)::int as results,
    count(events.seq)::int as endings, coalesce(min(events.at), 0)::float8 as "endedAt"
  from images left join events
    on events.image_id = images.id and events.type in ('succeeded', 'failed', 'dead')
  group by images.id`;

export const readDatabase = async (url: string): Promise<Stored> => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const images = await client.query<StoredImage & { id: string }>(query);
    const outbox = await client.query<{ n: number }>('select count(*)::int as n from outbox');
    return { images: new Map(images.rows.map((row) => [row.id, row])), outbox: outbox.rows[0]?.n ?? 0 };
  } finally {
    await client.end();
  }
};
