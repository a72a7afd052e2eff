import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { v7 } from 'uuid';
import { openPostgresStore } from '../src/store/postgres.ts';
import { openSqliteStore } from '../src/store/sqlite.ts';
import { openDatabase } from '../src/store/sqlite-database.ts';
import type { ImageQuery, NewImage, Store } from '../src/store/store.ts';
import { startPostgres } from '../test/services/postgres.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { fill, hashOfNth, postgresDialect, sqliteDialect, timeOfNth } from './million-rows.ts';
import { percentile, rounded } from './pictures.ts';

interface Filled {
  readonly store: Store;
  /** How it was set up, for the table's title. */
  readonly about: string;
  close(): Promise<void>;
}

const inPostgres = async (count: number): Promise<Filled> => {
  const server = await startPostgres({ shared_buffers: '1GB', max_wal_size: '8GB' });
  try {
    const url = await server.createDatabase();
    const options = { url, poolSize: 10, statementTimeoutMs: 60_000 };
    await (await openPostgresStore(options)).close();
    const client = new pg.Client(url);
    await client.connect();
    for (const statement of fill(postgresDialect, count)) await client.query(statement);
    await client.query('vacuum (analyze)');
    const size = await client.query(
      'select pg_database_size(current_database()) as bytes, version() as version',
    );
    await client.end();
    const store = await openPostgresStore(options);
    const { bytes, version } = size.rows[0];
    const about = `${version.split(' (')[0]}, ${rounded(Number(bytes) / 1e9)} GB, shared_buffers 1 GB, fsync on`;
    return { store, about, close: () => store.close().then(server.dispose) };
  } catch (error) {
    await server.dispose();
    throw error;
  }
};

const inSqlite = async (count: number): Promise<Filled> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-million-'));
  const file = join(folder, 'gantry.db');
  await (await openSqliteStore(file)).close();
  const database = openDatabase(file, 5_000);
  for (const statement of fill(sqliteDialect, count)) database.native.exec(statement);
  database.close();
  const store = await openSqliteStore(file);
  return {
    store,
    about: 'SQLite',
    close: () => store.close().then(() => rm(folder, { recursive: true })),
  };
};

const newImage = (): NewImage => {
  const id = v7();
  const file = { filename: 'cat.jpeg', contentType: 'image/jpeg', bytes: 40_000, sha256: 'ab'.repeat(32) };
  return { id, ...file, pipeline: 'pets', blob: `2026/11/24/${id}.jpg` };
};

const time = (n: number, count: number): string => new Date(timeOfNth(n, count)).toISOString();

/** Lists as the web page and the API ask for them, pages of 50. */
const lists = (count: number): Readonly<Record<string, Omit<ImageQuery, 'limit'>>> => {
  const month = { from: time(count * 0.5, count), until: time(count * 0.58, count) };
  return {
    'newest first': {},
    succeeded: { state: 'succeeded' },
    failed: { state: 'failed' },
    dead: { state: 'dead' },
    queued: { state: 'queued' },
    'label cat': { label: 'cat' },
    'label zebra (10 of a million)': { label: 'zebra' },
    'label that nobody has': { label: 'unicorn' },
    'a month': month,
    'dead, a month': { state: 'dead', ...month },
    'label cat and succeeded, a month': { label: 'cat', state: 'succeeded', ...month },
    'hash of one': { sha256: hashOfNth(count / 2) },
    'name of many (holiday)': { text: 'HOLIDAY' },
    'name of 5 (needle)': { text: 'needle' },
    'name that is nowhere': { text: 'nowhere at all' },
    'name that is nowhere, label cat': { text: 'nowhere at all', label: 'cat' },
    'name that is nowhere, failed': { text: 'nowhere at all', state: 'failed' },
    'name that is nowhere, a month': { text: 'nowhere at all', ...month },
  };
};

const timed = async (times: number, work: (n: number) => Promise<unknown>) => {
  const took: number[] = [];
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    await work(n);
    took.push(performance.now() - began);
  }
  return { 'median ms': rounded(percentile(took, 0.5)), 'max ms': rounded(Math.max(...took)) };
};

const measureLists = async (store: Store, count: number): Promise<Table['rows']> => {
  const rows = [];
  for (const [figure, query] of Object.entries(lists(count))) {
    const times = query.text === undefined ? 20 : 3;
    rows.push({
      figure: `list: ${figure}`,
      ...(await timed(times, () => store.images({ ...query, limit: 50 }))),
    });
    if (query.text !== undefined) continue;
    // A page in the middle of all that there are.
    const [middle] = (
      await store.images({ ...query, until: query.until ?? time(count * 0.4, count), limit: 1 })
    ).images;
    if (middle === undefined) continue;
    const deep = { ...query, cursor: Buffer.from(middle.id).toString('base64url'), limit: 50 };
    rows.push({ figure: `list: ${figure}, deep`, ...(await timed(20, () => store.images(deep))) });
  }
  return rows;
};

const measureCalls = async (store: Store, count: number): Promise<Table['rows']> => {
  const now = (): string => new Date().toISOString();
  const rows: Record<string, string | number>[] = [];
  const row = async (figure: string, times: number, work: (n: number) => Promise<unknown>): Promise<void> => {
    rows.push({ figure, ...(await timed(times, work)) });
  };
  const batch = (size: number) => Array.from({ length: size }, () => ({ images: [newImage()] }));
  await row('outstanding', 10, () => store.outstanding());
  await row('recount, all wrong', 1, () => store.recount());
  await row('recount, nothing wrong', 5, () => store.recount());
  const fiveMinutes = (): string => new Date(Date.now() - 300_000).toISOString();
  await row('summary', 50, () => store.summary(fiveMinutes()));
  await row('atWork', 10, () => store.atWork('2025-01-01T00:00:00Z'));
  await row('lastEvent', 10, () => store.lastEvent());
  await row('events, 500', 10, () => store.events(0, 500));
  await row('originals, 1000', 10, (n) => store.originals(n ? `0194${n}` : undefined, 1000));
  await row('oldOriginals, 1000', 10, () => store.oldOriginals(now(), 1000));
  await row('oldImages, 1000', 10, () => store.oldImages(now(), 1000));
  const some = (await store.oldImages(now(), 10_000)).map(({ id }) => id);
  await row('existing, 1000', 10, (n) => store.existing(some.slice(n * 1000, n * 1000 + 1000)));
  const kept = (await store.oldOriginals(now(), 5_000)).map(({ id }) => id);
  await row('originalsRemoved, 500', 10, (n) => store.originalsRemoved(kept.slice(n * 500, n * 500 + 500)));
  await row('mergeCounts', 1, () => store.mergeCounts(now()));
  await row('summary, merged', 50, () => store.summary(fiveMinutes()));
  await row('ledger', 3, () => store.ledger());
  await row('storedBytes', 3, () => store.storedBytes());
  await row('requeue, 1000', 10, () => store.requeue(now(), 1000));
  const claimed: Awaited<ReturnType<Store['claimOutbox']>> = [];
  await row(`claimOutbox, 500 of ${count / 10}`, 20, async () =>
    claimed.push(...(await store.claimOutbox(500, 60_000))),
  );
  await row('published, 128', 20, (n) => store.published(claimed.slice(n * 128, n * 128 + 128)));
  await row('accept, 1 upload', 50, () => store.accept(batch(1), 10_000));
  await row('accept, 64 uploads', 20, () => store.accept(batch(64), 10_000));
  await row('started, 64', 20, (n) =>
    store.started(
      claimed.slice(n * 64, n * 64 + 64).map((job) => ({ ...job, version: 1, kind: 'processing' })),
    ),
  );
  await row('record, 64 failures', 20, (n) =>
    store.record(
      claimed.slice(n * 64, n * 64 + 64).map(({ id, generation }) => ({
        ...{ version: 1, id, generation, attempt: 1, kind: 'failed' },
        ...{ error: { code: 'undecodable', message: 'broken' }, picture: null },
      })),
    ),
  );
  await row('reprocess', 10, (n) => store.reprocess(claimed[n]?.id ?? '', 10_000));
  await row('replayDead, 100', 5, () => store.replayDead(100));
  await row('remove', 10, (n) => store.remove(claimed[n]?.id ?? ''));
  await row('expire, 1000', 5, () => store.expire(now(), 1000));
  return rows;
};

const million = (name: string, open: (count: number) => Promise<Filled>): Benchmark => ({
  about: `calls of the store with a million images in ${name}`,
  async run(quick) {
    const count = quick ? 20_000 : 1_000_000;
    const began = performance.now();
    const { store, about, close } = await open(count);
    try {
      const filled = rounded((performance.now() - began) / 1000);
      const rows = [...(await measureLists(store, count)), ...(await measureCalls(store, count))];
      return { title: `${count} images, ${about}, filled in ${filled} s`, rows };
    } finally {
      await close();
    }
  },
});

export const millionInPostgres = million('PostgreSQL', inPostgres);
export const millionInSqlite = million('SQLite', inSqlite);
