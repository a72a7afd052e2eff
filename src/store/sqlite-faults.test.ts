import assert from 'node:assert/strict';
import { once } from 'node:events';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { accepted, failed, future, newImage, succeeded } from './contract/samples.ts';
import { accepting, folder, newFile, rows } from './sqlite.testing.ts';
import { openSqliteStore, sqliteStore } from './sqlite.ts';
import { openDatabase } from './sqlite-database.ts';

describe('SQLite, damaged, full or killed', () => {
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
