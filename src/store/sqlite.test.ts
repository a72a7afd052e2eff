import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { accepted, failed, future, newImage, succeeded } from './contract/samples.ts';
import { openSqliteStore, sqliteStore } from './sqlite.ts';
import { type Database, openDatabase } from './sqlite-database.ts';
import { storeContract } from './store.contract.ts';
import type { Store } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'gantry-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = (): string => join(folder, `${++files}.db`);

storeContract('SQLite', () => openSqliteStore(newFile()));

/** Rows as another program sees them. */
const rows = (file: string, sql: string): Record<string, unknown>[] => {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
};

/** A process that accepts uploads of eight images and prints a line for each. */
const accepting = (...args: string[]) => {
  const program = fileURLToPath(new URL('./sqlite.test-child.ts', import.meta.url));
  return spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
};

describe('SQLite only', () => {
  test('what was stored is there after closing and opening', async () => {
    const file = newFile();
    const first = await openSqliteStore(file);
    const job = await accepted(first);
    await first.record([succeeded(job)]);
    const kept = async (store: Store) => [
      ...[await store.image(job.id), await store.thumbnail(job.id), await store.events(0, 10)],
      await store.installation(),
    ];
    const before = await kept(first);
    await first.close();
    assert.deepEqual(
      readdirSync(folder).filter((name) => join(folder, name).startsWith(file)).length,
      1,
      'closing leaves one file, so that it can be copied',
    );
    const second = await openSqliteStore(file);
    assert.deepEqual(await kept(second), before);
    await second.close();
  });

  test('the only server there is takes over at once what its predecessor held back', async () => {
    const file = newFile();
    const before = await openSqliteStore(file);
    const { id } = await accepted(before, {}, 3_600_000);
    await before.close();
    const beside = await openSqliteStore(file);
    assert.deepEqual(await beside.claimOutbox(10, 0), []);
    await beside.close();
    const after = await openSqliteStore(file, { sole: true });
    assert.deepEqual(
      (await after.claimOutbox(10, 0)).map((job) => job.id),
      [id],
    );
    await after.close();
  });

  test('every result is kept, the first of each generation and model', async () => {
    const file = newFile();
    const store = await openSqliteStore(file);
    const first = await accepted(store);
    const removed = await accepted(store);
    await store.record([failed(first), succeeded(first, 'late'), succeeded(removed)]);
    await store.reprocess(first.id, 0);
    const second = { ...first, generation: 2 };
    await store.record([succeeded(second, 'cat', 2), succeeded(second, 'dog', 3), succeeded(first, 'again')]);
    await store.record([succeeded(second, 'other', 1, 'sha256:2')]);
    await store.remove(removed.id);
    const kept = rows(file, 'select generation, model_digest, attempt, result from results order by 1, 2');
    assert.deepEqual(
      kept.map((row) => [
        row.generation,
        row.model_digest,
        row.attempt,
        JSON.parse(String(row.result)).label,
      ]),
      [
        [1, 'sha256:1', 1, 'late'],
        [2, 'sha256:1', 2, 'cat'],
        [2, 'sha256:2', 1, 'other'],
      ],
    );
    assert.deepEqual(
      rows(file, 'select count(*) as n from thumbnails').map(({ n }) => n),
      [1],
    );
    await store.close();
  });

  test('two processes on one file wait for each other and see the same', async () => {
    const file = newFile();
    const child = accepting(file, '20');
    const store = await openSqliteStore(file);
    for await (const _ of createInterface(child.stdout)) await accepted(store);
    if (child.exitCode === null) await once(child, 'exit');
    assert.equal(child.exitCode, 0);
    assert.equal((await store.images({ limit: 1000 })).images.length, 20 * 8 + 20);
    assert.equal((await store.outstanding()).outbox, 20 * 8 + 20);
    await store.close();
  });

  test('what cannot be opened says why', async () => {
    const noDatabase = newFile();
    writeFileSync(noDatabase, 'this is a text file, and long enough to be looked at '.repeat(30));
    await assert.rejects(openSqliteStore(noDatabase), {
      code: 'corrupt',
      message: /1?\d\.db: file is not a database/,
    });
    await assert.rejects(openSqliteStore(join(folder, 'missing', 'gantry.db')), {
      code: 'unwritable',
      message: /missing\/gantry\.db: unable to open database file/,
    });
    await assert.rejects(openSqliteStore(folder), { code: 'unwritable' });
  });

  test('a damaged file is found out, at the latest by reading', async () => {
    const file = newFile();
    const store = await openSqliteStore(file);
    const images = Array.from({ length: 500 }, () => newImage());
    await store.accept([{ images }], 0);
    await store.close();
    truncateSync(file, 40 * 4096);
    const use = async () => {
      const damaged = await openSqliteStore(file);
      try {
        await damaged.images({ limit: 500 });
        await damaged.events(0, 500);
      } finally {
        await damaged.close();
      }
    };
    await assert.rejects(use(), { code: 'corrupt' });
  });

  test('a transaction is the only one from its beginning, and ends once', () => {
    const file = newFile();
    const [one, two] = [openDatabase(file, 0), openDatabase(file, 0)];
    one.prepare('begin').run([]);
    assert.throws(() => two.prepare('begin').run([]), { code: 'busy' });
    one.native.exec('rollback'); // as SQLite does by itself after some faults
    one.prepare('rollback').run([]);
    two.prepare('begin').run([]);
    two.prepare('rollback').run([]);
    one.close();
    two.close();
  });

  test("a newer version's file is left alone", async () => {
    const file = newFile();
    await (await openSqliteStore(file)).close();
    const newer = new DatabaseSync(file);
    newer.exec(`insert into kysely_migration values ('999-later', '2030-01-01T00:00:00Z')`);
    newer.close();
    await assert.rejects(openSqliteStore(file), { code: 'newer-schema', message: /999-later/ });
  });

  test('a file of the first schema is brought up to date, with what is in it', async () => {
    const file = newFile();
    const first = await openSqliteStore(file);
    const [done, waiting] = [await accepted(first), await accepted(first)];
    await first.record([succeeded(done)]);
    await first.close();
    const old = new DatabaseSync(file);
    old.exec(`
      drop index images_with_original;
      drop index images_without_original;
      drop index images_by_sha256;
      alter table outbox drop column traceparent;
      alter table outbox drop column added_at;
      alter table events drop column traceparent;
      drop table counts;
      drop table uploads;
      drop table upload_parts;
      drop table installation;
      delete from kysely_migration where name <> '001-initial'`);
    old.close();
    const store = await openSqliteStore(file);
    assert.deepEqual(
      (await store.oldOriginals('2100-01-01T00:00:00Z', 10)).map(({ id }) => id),
      [done.id],
    );
    assert.deepEqual(
      (await store.claimOutbox(10, 0)).map(({ id }) => id),
      [waiting.id],
    );
    // Nobody noted then when it was added.
    assert.equal((await store.outstanding()).oldestOutboxAt, null);
    const { states, labels } = await store.summary(future());
    assert.deepEqual([states.queued, states.succeeded, labels], [1, 1, { cat: 1 }]);
    await store.close();
  });

  test('whoever tends or counts uploads does not read those that have ended', async () => {
    const database = openDatabase(newFile(), 1);
    const asked = new Set<string>();
    const told: Database = {
      ...database,
      prepare(sql) {
        asked.add(sql);
        return database.prepare(sql);
      },
    };
    const store = await sqliteStore(told);
    asked.clear();
    await store.completeUploads(future(), 10);
    await store.expireUploads(future(), 10);
    await store.endedUploads(10);
    await store.forgetUploads(future(), 10);
    await store.openUploads();
    await store.storedBytes();
    const plans = [...asked]
      .filter((sql) => sql.includes('uploads'))
      .flatMap((sql) => database.native.prepare(`explain query plan ${sql}`).all())
      .map(({ detail }) => String(detail));
    assert.equal(plans.filter((step) => / uploads_open\b/.test(step)).length, 4, plans.join('\n'));
    const scans = plans.filter((step) => /^SCAN uploads\b/.test(step) && !/ uploads_open\b/.test(step));
    assert.deepEqual(scans, []);
    await store.close();
  });

  test('the ledger finds what hangs in the air', async () => {
    const file = newFile();
    const store = await openSqliteStore(file);
    const [one, two] = [await accepted(store), await accepted(store)];
    await store.close();
    const broken = new DatabaseSync(file, { enableForeignKeyConstraints: false });
    broken.exec(`
      update images set state = 'dead', waiting_since = null where id = '${one.id}';
      update outbox set generation = 2 where image_id = '${two.id}';
      insert into outbox values ('${newImage().id}', 1, 0, null, null);
      insert into results values ('${newImage().id}', 1, 'd', 1, '{}', 0);
      insert into thumbnails values ('${newImage().id}', ''), ('${two.id}', '')`);
    broken.close();
    const again = await openSqliteStore(file);
    const { outbox, strayOutbox, strayResults } = await again.ledger();
    assert.deepEqual([outbox, strayOutbox, strayResults], [3, 3, 2]);
    await again.close();
  });

  test('wrong counts are found and put right', async () => {
    const file = newFile();
    const store = await openSqliteStore(file);
    await store.record([succeeded(await accepted(store)), failed(await accepted(store))]);
    await store.close();
    const broken = new DatabaseSync(file);
    broken.exec(`
      update counts set n = n + 5 where kind = 'state' and name = 'failed';
      delete from counts where kind = 'label'`);
    broken.close();
    const again = await openSqliteStore(file);
    assert.equal((await again.ledger()).miscounted, 2);
    assert.deepEqual([await again.recount(), await again.recount()], [true, false]);
    const { states, labels } = await again.summary(future());
    assert.deepEqual([states.failed, states.succeeded, labels], [1, 1, { cat: 1 }]);
    await again.close();
  });

  test('a full disk refuses the call and keeps the rest', async () => {
    const file = newFile();
    const store = await openSqliteStore(file);
    const job = await accepted(store);
    // SQLite's own limit on the file's size fails as a full disk does.
    const pages = Number(rows(file, 'pragma page_count')[0]?.page_count);
    await store.close();
    const database = openDatabase(file, 0);
    database.native.exec(`pragma max_page_count = ${pages + 2}`);
    const small = await sqliteStore(database);
    const many = [{ images: Array.from({ length: 200 }, () => newImage()) }];
    await assert.rejects(small.accept(many, 0), { code: 'full', message: /database or disk is full/ });
    assert.equal((await small.images({ limit: 10 })).images.length, 1);
    assert.deepEqual(await small.record([failed(job)]), ['recorded']);
    await small.close();
  });

  test('kill -9 in the middle of accepting: what was accepted is there, and nothing by halves', async () => {
    const file = newFile();
    const child = accepting(file);
    const promised: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      promised.push(...line.split(' '));
      if (promised.length >= 400) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');

    const store = await openSqliteStore(file);
    const { images } = await store.images({ limit: 100_000 });
    const stored = new Set(images.map(({ id }) => id));
    assert.deepEqual(
      promised.filter((id) => !stored.has(id)),
      [],
    );
    assert.equal(stored.size % 8, 0, 'whole uploads');
    const { outbox } = await store.outstanding();
    assert.deepEqual([outbox, (await store.events(0, 100_000)).length], [stored.size, stored.size]);
    await accepted(store);
    await store.close();
    assert.deepEqual(
      rows(file, 'pragma integrity_check').map((row) => row.integrity_check),
      ['ok'],
    );
  });
});
