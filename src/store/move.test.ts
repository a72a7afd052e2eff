import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type pg from 'pg';
import { type Postgres, postgresMissing, startPostgres } from '../../test/services/postgres.ts';
import { accepted, at, future, keyed, newImage, succeeded } from './contract/samples.ts';
import { fillVaried, move, moved, rowsOf, tamper, traceparent, written } from './move.testing.ts';
import { beside, openForTest } from './postgres.testing.ts';
import { openSqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

/** All that the port can tell without changing anything. */
const everything = async (store: Store) => {
  const ids = (await store.originals(undefined, 1000)).map(({ id }) => id);
  const each = <T>(ask: (id: string) => Promise<T>): Promise<T[]> => Promise.all(ids.map(ask));
  const thumbnail = async (id: string) => {
    const bytes = await store.thumbnail(id);
    return bytes && Buffer.from(bytes).toString('hex');
  };
  const lists = [
    ...[{}, { state: 'queued' }, { state: 'dead' }, { label: 'cat' }, { text: 'ä ' }, { text: '猫' }],
    ...[{ from: at(2000), until: at(6000) }, { text: '\\' }],
  ] as const;
  const [, third] = await store.events(0, 1000);
  return {
    originals: await store.originals(undefined, 1000),
    images: await each((id) => store.image(id)),
    blobs: await each((id) => store.blobOf(id)),
    thumbnails: await each(thumbnail),
    lists: await Promise.all(lists.map((query) => store.images({ limit: 4, ...query }))),
    events: await store.events(0, 1000),
    eventsAfter: await store.events(third?.seq ?? 0, 3),
    eventsOfOne: await each((id) => store.events(0, 1000, id)),
    lastEvent: await store.lastEvent(),
    outstanding: await store.outstanding(),
    atWork: await store.atWork(at(-365 * 86_400_000)),
    oldOriginals: await store.oldOriginals(at(86_400_000), 100),
    oldImages: await store.oldImages(at(86_400_000), 100),
    storedBytes: await store.storedBytes(),
    ledger: await store.ledger(),
    summary: { ...(await store.summary(future())) },
    endedUploads: await Promise.all((await store.endedUploads(10)).map((id) => store.upload(id))),
    installation: await store.installation(),
    completeUploads: await store.completeUploads(at(365 * 86_400_000), 10),
  };
};

const queries = {
  images: 'select * from images order by id',
  outbox: 'select * from outbox order by image_id',
  results: 'select * from results order by image_id, generation, model_digest',
  thumbnails: 'select * from thumbnails order by image_id',
  events: 'select * from events order by seq',
  idempotency_keys: 'select * from idempotency_keys order by key',
  uploads: 'select * from uploads order by id',
  upload_parts: 'select * from upload_parts order by upload_id, start',
} as const;

const rowsIn = async (client: pg.Client, query: string): Promise<unknown[]> => {
  const { rows, fields } = await client.query(query);
  const wide = fields.filter(({ dataTypeID }) => dataTypeID === 20).map(({ name }) => name);
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(wide.map((n) => [n, row[n] && Number(row[n])])),
  }));
};

describe('a store moved from SQLite to PostgreSQL', { skip: postgresMissing }, () => {
  let server: Postgres;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.dispose());

  test('tells what it told before, row by row and through the port', async (t) => {
    const file = await written(t, fillVaried);
    const url = await server.createDatabase();
    const { counts, store } = await moved(t, file, url);
    await beside(url, async (client) => {
      for (const [table, query] of Object.entries(queries)) {
        const rows = rowsOf(file, query);
        assert.ok(rows.length >= 2, `${table} has rows to compare`);
        assert.deepEqual(await rowsIn(client, query), rows, table);
        assert.equal(counts[table as keyof typeof queries], rows.length, table);
      }
    });
    assert.equal(counts.leftBehind, 0);
    const old = await openSqliteStore(file);
    t.after(() => old.close());
    const before = await everything(old);
    assert.deepEqual(
      [before.events[0]?.seq, before.atWork],
      [4, 1],
      'the store is as varied as it should be',
    );
    assert.deepEqual(await everything(store), before);
  });

  test('goes on where it was: claims, keys, generations, event numbers', async (t) => {
    const file = await written(t, fillVaried);
    const { store } = await moved(t, file, await server.createDatabase());
    const old = await openSqliteStore(file);
    t.after(() => old.close());
    const last = await old.lastEvent();
    const claimed = await store.claimOutbox(100, 0);
    assert.ok(
      claimed.length > 0 && claimed.length < (await store.outstanding()).outbox,
      'not what is leased',
    );
    assert.deepEqual(claimed, await old.claimOutbox(100, 0));
    const repeats = [keyed('key \\ "1"', 'print'), keyed('key 2', 'another')];
    assert.deepEqual(await store.accept(repeats, 0), [
      { kind: 'repeated', response: '{"ids":["ü"]}' },
      { kind: 'conflict' },
    ]);
    const added = newImage();
    await store.accept([{ images: [added], traceparent }], 0);
    const events = await store.events(last, 10);
    assert.deepEqual(
      events.map(({ seq, imageId }) => [seq, imageId]),
      [[last + 1, added.id]],
    );
    assert.equal(await store.replayDead(10), 1);
    const again = claimed.find(({ id }) => id !== added.id) ?? assert.fail();
    assert.deepEqual(await store.record([succeeded(again, 'cat')]), ['recorded']);
    await store.remove(again.id);
    assert.equal((await store.ledger()).strayResults, 0);
  });

  test('event numbers go on after the highest there ever was, though all have expired', async (t) => {
    const file = await written(t, async (store) => {
      for (let n = 0; n < 5; n++) await accepted(store);
      await store.expire(future(), 100);
    });
    const { store, counts } = await moved(t, file, await server.createDatabase());
    assert.equal(counts.events, 0);
    await accepted(store);
    assert.equal(await store.lastEvent(), 6);
  });

  test('an empty store moves too, and what PostgreSQL cannot hold is replaced as always', async (t) => {
    const empty = await written(t, async () => {});
    const { counts } = await moved(t, empty, await server.createDatabase());
    assert.deepEqual(new Set(Object.values(counts)), new Set([0]));
    let id = '';
    const file = await written(t, async (store) => {
      ({ id } = await accepted(store, { filename: 'a\0b.jpg' }));
    });
    const { store } = await moved(t, file, await server.createDatabase());
    assert.equal((await store.image(id))?.filename, 'a\ufffdb.jpg');
  });

  test('rows of images that do not exist are left behind, and told', async (t) => {
    const file = await written(t, async (store) => {
      await store.record([succeeded(await accepted(store))]);
    });
    const [one, two] = [newImage().id, newImage().id];
    tamper(
      file,
      `pragma foreign_keys = off;
       insert into results values ('${one}', 1, 'd', 1, '{}', 0); insert into thumbnails values ('${one}', x'00');
       insert into outbox values ('${two}', 1, 0, null, null)`,
    );
    const { counts, store } = await moved(t, file, await server.createDatabase());
    assert.deepEqual([counts.leftBehind, counts.results, counts.thumbnails, counts.outbox], [3, 1, 1, 0]);
    const { strayResults, strayOutbox } = await store.ledger();
    assert.deepEqual([strayResults, strayOutbox], [0, 0]);
  });

  test('what a killed server had written only to the log is moved', async (t) => {
    const file = await written(t, async (store) => accepted(store));
    const store = await openSqliteStore(file);
    await accepted(store);
    const killed = `${dirname(file)}-killed`;
    t.after(() => rm(killed, { recursive: true }));
    await cp(dirname(file), killed, { recursive: true });
    await store.close();
    const { counts } = await moved(t, join(killed, 'gantry.db'), await server.createDatabase());
    assert.equal(counts.images, 2);
  });

  test('many rows go in batches, and progress is told of them', async (t) => {
    const file = await written(t, async (store) => {
      const images = Array.from({ length: 2_500 }, () => newImage());
      await store.accept([{ images }], 0);
      // As large as thumbnails may be: batches end by their size, too.
      const thumbnail = Buffer.alloc(16_384, 7).toString('base64');
      await store.record(
        images.slice(0, 300).map(({ id }) => {
          const outcome = succeeded({ id, generation: 1 });
          return { ...outcome, picture: { width: 1, height: 1, thumbnail } } as typeof outcome;
        }),
      );
    });
    const told: number[][] = [];
    const url = await server.createDatabase();
    const counts = await move(file, url, (...progress) => told.push(progress));
    const total = 2500 + 2200 + 300 + 300 + 2800;
    assert.deepEqual(told.slice(0, 3), [
      [2000, total],
      [2500, total],
      [4500, total],
    ]);
    assert.deepEqual(told.at(-1), [total, total]);
    assert.ok(
      told.some(([done = 0]) => done > 5000 && done < 5300),
      'a batch of thumbnails alone is too large',
    );
    assert.deepEqual([counts.images, counts.thumbnails, counts.events], [2500, 300, 2800]);
    const store = await openForTest(t, url);
    const { images, outbox } = await store.outstanding();
    assert.deepEqual([images, outbox], [2200, 2200]);
  });
});
