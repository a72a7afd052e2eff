import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { accepted, failed, future, succeeded } from './contract/samples.ts';
import { accepting, folder, newFile, rows } from './sqlite.testing.ts';
import { openSqliteStore, sqliteStore } from './sqlite.ts';
import { type Database, openDatabase } from './sqlite-database.ts';
import { storeContract } from './store.contract.ts';
import type { Store } from './store.ts';

storeContract('SQLite', () => openSqliteStore(newFile()));

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
});
