import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Postgres, postgresMissing, startPostgres } from '../../test/services/postgres.ts';
import { accepted, keyed, minute, newImage, succeeded } from './contract/samples.ts';
import { fillVaried, move, rowsOf, tamper, written } from './move.testing.ts';
import { beside, openForTest } from './postgres.testing.ts';

const tables = ['images', 'outbox', 'results', 'thumbnails', 'events', 'idempotency_keys'];

describe('moving a store: what goes wrong', { skip: postgresMissing }, () => {
  let server: Postgres;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.dispose());

  const assertEmpty = (url: string): Promise<void> =>
    beside(url, async (client) => {
      for (const table of tables)
        assert.equal((await client.query(`select 1 from ${table}`)).rowCount, 0, table);
    });
  /** A database with its schema, whose server does this when it is given a row of the last table. */
  const trapped = async (body: string): Promise<string> => {
    const url = await server.createDatabase();
    await (await openForTest({ after: () => {} }, url)).close();
    await beside(url, async (client) => {
      await client.query(`
        create function trap() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
        create trigger trap before insert on idempotency_keys for each row execute function trap()`);
    });
    return url;
  };
  const release = (url: string): Promise<void> =>
    beside(url, async (client) => void (await client.query('drop function trap cascade')));

  test('a database that holds anything is refused and left as it is', async (t) => {
    const file = await written(t, fillVaried);
    const [images, others] = [await server.createDatabase(), await server.createDatabase()];
    const [withImage, withHistory] = [await openForTest(t, images), await openForTest(t, others)];
    const { id } = await accepted(withImage);
    const refused = { code: 'not-empty', message: /not empty \(it has images, outbox, events\)/ };
    await assert.rejects(move(file, images), refused);
    assert.deepEqual(
      (await withImage.originals(undefined, 10)).map((image) => image.id),
      [id],
    );
    const { images: [kept] = [], ...upload } = keyed('k', 'print');
    await withHistory.accept([{ ...upload, images: kept ? [kept] : [] }], 0);
    await withHistory.remove(kept?.id ?? '');
    await assert.rejects(move(file, others), {
      code: 'not-empty',
      message: /it has events, idempotency keys\)/,
    });
    assert.equal(await withHistory.lastEvent(), 2);
  });

  test('of a move that failed nothing is left, and the next one succeeds', async (t) => {
    const file = await written(t, fillVaried);
    const expected = rowsOf(file, 'select seq from events order by seq');
    for (const [body, code] of [
      [`raise exception 'no' using errcode = '22000';`, 'failed'],
      ['perform pg_terminate_backend(pg_backend_pid());', 'unavailable'],
    ] as const) {
      const url = await trapped(body);
      await assert.rejects(move(file, url), { code });
      await assertEmpty(url);
      await release(url);
      assert.equal((await move(file, url)).events, expected.length);
      // Also the numbers of events begin where they should, not where the failed move had put them.
      const store = await openForTest(t, url);
      await accepted(store);
      assert.equal(await store.lastEvent(), Number(expected.at(-1)?.seq) + 1);
    }
  });

  test('what the caller throws ends the move, too', async (t) => {
    const file = await written(t, fillVaried);
    const url = await server.createDatabase();
    const stop = new Error('stopped');
    const reached: number[] = [];
    await assert.rejects(
      move(file, url, (done, total) => {
        reached.push(done);
        if (done === total) throw stop;
      }),
      stop,
    );
    assert.ok(reached.length > 3);
    await assertEmpty(url);
  });

  test('a web server on the new database already waits with its writes until all is there', async (t) => {
    const file = await written(t, fillVaried);
    const last = rowsOf(file, 'select max(seq) as seq from events')[0]?.seq;
    const url = await server.createDatabase();
    const store = await openForTest(t, url);
    let writing: Promise<unknown> | undefined;
    await move(file, url, () => {
      writing ??= store.accept([{ images: [newImage()] }], minute);
    });
    await writing;
    assert.equal(await store.lastEvent(), Number(last) + 1);
  });

  test('the disk of the database is full', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-full-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], {
      encoding: 'utf8',
    });
    if (mounted.status === 0) t.after(() => spawnSync('umount', ['--lazy', folder]));
    t.after(() => rmSync(folder, { recursive: true }));
    if (mounted.status !== 0)
      return t.skip(`cannot mount: ${mounted.error?.message ?? mounted.stderr.trim()}`);
    const { uid, gid } = statSync(`/proc/${server.pid}`);
    const space = join(folder, 'space');
    mkdirSync(space);
    chownSync(space, uid, gid);
    const url = new URL(await server.createDatabase());
    await beside(
      url.href,
      async (client) => void (await client.query(`create tablespace small location '${space}'`)),
    );
    url.searchParams.set('options', '-c default_tablespace=small');
    const file = await written(t, async (store) => {
      const images = Array.from({ length: 2_500 }, () => newImage());
      await store.accept([{ images }], 0);
      await store.record(images.map(({ id }) => succeeded({ id, generation: 1 })));
    });
    await assert.rejects(move(file, url.href), { code: 'full', message: /^PostgreSQL: .*No space left/ });
    await assertEmpty(url.href);
    await beside(url.href, async (client) => {
      await client.query('drop schema public cascade');
      await client.query('drop tablespace small');
    });
  });

  test('a file that is no store of this version is refused before the database has a row', async (t) => {
    const url = await server.createDatabase();
    const older = await written(t, accepted);
    tamper(older, `delete from kysely_migration where name = '002-removed-originals'`);
    await assert.rejects(move(older, url), {
      code: 'older-schema',
      message: /gantry\.db is of an older Gantry \(it lacks 002-removed-originals\): start this version/,
    });
    const newer = await written(t, accepted);
    tamper(newer, `insert into kysely_migration values ('999-later', '2030-01-01T00:00:00Z')`);
    await assert.rejects(move(newer, url), { code: 'newer-schema', message: /it has 999-later/ });
    await assertEmpty(url);

    const untouched = await server.createDatabase();
    const other = await written(t, accepted);
    tamper(other, 'drop table kysely_migration');
    await assert.rejects(move(other, untouched), { code: 'no-store', message: /is no store of Gantry's/ });
    const empty = `${other}.empty`;
    writeFileSync(empty, '');
    await assert.rejects(move(empty, untouched), { code: 'no-store' });
    const text = `${other}.txt`;
    writeFileSync(text, 'no database, but long enough to be taken for the head of one; '.repeat(20));
    await assert.rejects(move(text, untouched), { code: 'corrupt', message: /not a database/ });
    await assert.rejects(move(`${other}.missing`, untouched), {
      code: 'unwritable',
      message: /unable to open/,
    });
    await beside(untouched, async (client) => {
      const { rowCount } = await client.query(`select 1 from pg_tables where schemaname = 'public'`);
      assert.equal(rowCount, 0, 'the database was not even given a schema');
    });
  });
});
