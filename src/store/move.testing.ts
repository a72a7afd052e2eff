import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  accepted,
  at,
  dead,
  failed,
  idAt,
  keyed,
  minute,
  newImage,
  processing,
  succeeded,
} from './contract/samples.ts';
import { type Counts, moveStore } from './move.ts';
import { openForTest } from './postgres.testing.ts';
import { openSqliteStore } from './sqlite.ts';
import { openDatabase } from './sqlite-database.ts';
import type { Store } from './store.ts';

/** An SQLite store's file, written by `fill` and closed; removed after the test. */
export const written = async (t: TestContext, fill: (store: Store) => Promise<unknown>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-move-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'gantry.db');
  const store = await openSqliteStore(file);
  await fill(store);
  await store.close();
  return file;
};

/** SQL on the file, as no store would write it. */
export const tamper = (file: string, statements: string): void => {
  const database = openDatabase(file, 1000);
  database.native.exec(statements);
  database.close();
};

/** Rows of the file as PostgreSQL's driver would give them: bytes in a Buffer. */
export const rowsOf = (file: string, query: string): Record<string, unknown>[] => {
  const database = openDatabase(file, 1000);
  try {
    return database.native
      .prepare(query)
      .all()
      .map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            value instanceof Uint8Array ? Buffer.from(value) : value,
          ]),
        ),
      );
  } finally {
    database.close();
  }
};

export const move = (file: string, url: string, onProgress?: (done: number, total: number) => void) =>
  moveStore(file, { url, poolSize: 1, statementTimeoutMs: 15_000 }, onProgress);

/** Moves, and opens what came of it. */
export const moved = async (
  t: TestContext,
  file: string,
  url: string,
): Promise<{ counts: Counts; store: Store }> => {
  const counts = await move(file, url);
  return { counts, store: await openForTest(t, url) };
};

export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const names = [
  ...['Ä \u202e"cat\'.JPG', '{a,b}\\', 'NULL', '', '猫🐈.jpeg', '\ud800 alone', 'two\nlines'],
  ...['%s $1 ;--', ' '],
];

/** Every kind of row that the port can write: each state, histories, keys, leases, bytes of every value. */
export const fillVaried = async (store: Store): Promise<void> => {
  const images = names.map((filename, n) => newImage({ id: idAt(n * 1000), filename, bytes: 5e12 + n }));
  const keys = images.map(({ id }) => ({ id, generation: 1 }));
  const [a, b, c, d, e, f, g] = keys as [(typeof keys)[0], ...typeof keys] & Record<number, (typeof keys)[0]>;
  if (!b || !c || !d || !e || !f || !g) throw new Error('too few names');
  await store.accept([{ images: images.slice(0, 3), traceparent }, { images: images.slice(3) }], 0);
  await store.expire(at(365 * 86_400_000), 3);
  await store.accept([keyed('key \\ "1"', 'print', '{"ids":["ü"]}'), keyed('key 2', 'print')], minute);
  await store.published([a, b, c]);
  await store.started([processing(a), processing(b, 3), processing(d)]);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n)).toString('base64');
  const first = succeeded(a, 'dog', 2, 'sha256:first');
  await store.record([
    first.kind === 'succeeded' ? { ...first, picture: { width: 1, height: 2, thumbnail: bytes } } : first,
    failed(d),
    { ...succeeded(e, 'cat'), picture: { width: 3, height: 4, thumbnail: '' } } as typeof first,
    dead(f),
    succeeded(g),
  ]);
  // A second model's late result is history only; then a new generation with an end of its own.
  await store.record([succeeded(a, 'other', 1, 'sha256:second')]);
  await store.reprocess(a.id, 0);
  await store.record([succeeded({ ...a, generation: 2 }, 'cat', 1, 'sha256:second')]);
  await store.reprocess(d.id, minute);
  await store.originalsRemoved([e.id]);
  await store.remove(g.id);
  const last = await accepted(store, { id: idAt(100_000), filename: 'removed last.jpg' });
  await store.remove(last.id);
  for (const [n, id] of [randomUUID(), randomUUID()].entries()) {
    await store.createUpload({ id, filename: names[n] ?? '', bytes: 6e9, expiresAt: at(n) });
    const part = (m: number) => ({ blob: `uploads/${id}.${m}`, bytes: 3e9 });
    for (const m of [0, 1]) await store.appendPart(id, m * 3e9, part(m), at(9));
    if (n === 0) await store.claimUpload(id, idAt(200_000));
    else await store.endUpload(id, { state: 'refused', code: 'unsupported-type', detail: 'a "film"' });
  }
  await store.ping();
};
