import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Postgres, postgresMissing, startPostgres } from '../../test/services/postgres.ts';
import { eventually } from '../broker/broker.probe.ts';
import { accepted, at, future, idAt, newImage, succeeded } from './contract/samples.ts';
import { beside } from './postgres.testing.ts';
import { openPostgresStore, type PostgresOptions } from './postgres.ts';
import { storeContract } from './store.contract.ts';
import type { Store } from './store.ts';

let server: Postgres;
const open = (url: string, more: Partial<PostgresOptions> = {}) =>
  openPostgresStore({ url, poolSize: 8, statementTimeoutMs: 15_000, ...more });

const query = (url: string, sql: string): Promise<Record<string, unknown>[]> =>
  beside(url, async (client) => (await client.query(sql)).rows);

/** Takes back migrations 004 and 005. */
const without4and5 = `
  drop index images_by_sha256;
  drop table counts;
  drop table uploads;
  drop table upload_parts;
  drop table installation;
`;

describe('PostgreSQL', { skip: postgresMissing }, () => {
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.dispose());

  storeContract('PostgreSQL', async () => open(await server.createDatabase()));

  test('several replicas start at once on an empty database', async () => {
    const url = await server.createDatabase();
    const stores = await Promise.all(Array.from({ length: 5 }, () => open(url, { poolSize: 2 })));
    await Promise.all(stores.map((store) => accepted(store)));
    assert.equal((await stores[0]?.outstanding())?.images, 5);
    await Promise.all(stores.map((store) => store.close()));
    const done = await query(url, 'select name from kysely_migration order by name');
    assert.equal(new Set(done.map(({ name }) => name)).size, done.length);
  });

  test('a store that is not to migrate only looks', async () => {
    const url = await server.createDatabase();
    await assert.rejects(open(url, { migrate: false }), { code: 'failed', message: /001-initial/ });
    assert.deepEqual(await query(url, `select 1 from pg_tables where schemaname = 'public'`), []);
    await (await open(url)).close();
    const store = await open(url, { migrate: false });
    await accepted(store);
    await store.close();
    await query(url, `insert into kysely_migration values ('999-later', '2030-01-01T00:00:00Z')`);
    for (const migrate of [true, false])
      await assert.rejects(open(url, { migrate }), { code: 'newer-schema', message: /999-later/ });
  });

  test('a database of an older schema is brought up to date, with what is in it', async () => {
    const url = await server.createDatabase();
    const first = await open(url);
    const { id } = await accepted(first, { sha256: 'cd'.repeat(32) });
    await first.close();
    await query(
      url,
      `${without4and5}
      alter table images alter column sha256 type text collate "default";
      alter table outbox drop column added_at;
      alter table events drop column traceparent;
      delete from kysely_migration where name > '002-removed-originals'`,
    );
    const store = await open(url);
    const { images } = await store.images({ limit: 10, sha256: 'cd'.repeat(32) });
    assert.deepEqual(
      images.map((image) => image.id),
      [id],
    );
    assert.equal((await store.outstanding()).oldestOutboxAt, null);
    assert.equal((await store.summary(future())).states.queued, 1);
    await store.close();
  });

  test('a migration that waits for a backup keeps nobody else waiting', async () => {
    const url = await server.createDatabase();
    const old = await open(url);
    const { id } = await accepted(old);
    await query(url, `${without4and5} delete from kysely_migration where name > '003-ages-and-traces'`);
    const lines: string[] = [];
    const log = { info: () => {}, warn: (_: unknown, line: string) => lines.push(line) };
    let migrated: Promise<Store> | undefined;
    await beside(url, async (backup) => {
      await backup.query('begin');
      await backup.query('select count(*) from images');
      migrated = open(url, { log: log as unknown as NonNullable<PostgresOptions['log']> });
      const waits = `select 1 from pg_locks where not granted and relation = 'images'::regclass`;
      while ((await query(url, waits)).length === 0);
      // Behind the migration, until that gives way.
      assert.equal((await old.image(id))?.id, id);
      await eventually('it is told of', async () => lines.length > 0);
      await backup.query('commit');
    });
    const store = (await migrated) ?? assert.fail();
    assert.match(lines.join(), /a table is in use/);
    assert.equal((await store.summary(future())).states.queued, 1);
    for (const one of [store, old]) await one.close();
  });

  test('what a server of the version before did not count is counted later, once, by whoever comes', async () => {
    const url = await server.createDatabase();
    const stores = [await open(url), await open(url)];
    const [store = assert.fail()] = stores;
    const jobs = await Promise.all(Array.from({ length: 10 }, () => accepted(store)));
    await query(url, `update images set state = 'dead', waiting_since = null where id = '${jobs[0]?.id}'`);
    assert.equal((await store.ledger()).miscounted, 2);
    const writing = jobs.slice(1).map((job) => store.record([succeeded(job)]));
    const told = await Promise.all([...stores, ...stores].map((one) => one.recount()));
    assert.ok(told.includes(true));
    await Promise.all(writing);
    assert.deepEqual([await store.recount(), (await store.ledger()).miscounted], [false, 0]);
    const { states } = await store.summary(future());
    assert.deepEqual([states.queued, states.dead, states.succeeded], [0, 1, 9]);
    for (const one of stores) await one.close();
  });

  test('a neighbour in another schema of the database is left alone', async () => {
    const url = new URL(await server.createDatabase());
    await query(url.href, 'create schema ours; create table kysely_migration (name text, timestamp text)');
    await query(url.href, `insert into kysely_migration values ('2020-theirs', '')`);
    url.searchParams.set('options', '-c search_path=ours');
    const store = await open(url.href);
    await accepted(store);
    await store.close();
    await (await open(url.href, { migrate: false })).close();
    assert.deepEqual(await query(url.href, 'select name from public.kysely_migration'), [
      { name: '2020-theirs' },
    ]);
  });

  test('IDs are compared by their bytes, whatever the language of the database', async () => {
    // In Danish, aa is a letter that comes after z.
    const url = await server.createDatabase(`template template0 locale_provider icu icu_locale 'da'`);
    assert.deepEqual(await query(url, `select 'aa' < 'ab' as bytewise`), [{ bytewise: false }]);
    const store = await open(url);
    const ids = [0x9a, 0xa9, 0xaa, 0xab, 0xba].map((n) => idAt(0, n));
    for (const id of ids.toReversed()) await accepted(store, { id, filename: 'AAB.jpg' });
    const listed = async (query: object) =>
      (await store.images({ limit: 10, ...query })).images.map(({ id }) => id);
    for (const filter of [{}, { state: 'queued' }, { text: 'aab' }, { from: at(0), until: at(1) }])
      assert.deepEqual(await listed(filter), ids.toReversed());
    const { next } = await store.images({ limit: 2 });
    assert.deepEqual(await listed({ cursor: next }), ids.slice(0, 3).toReversed());
    assert.deepEqual(
      (await store.originals(ids[1], 10)).map(({ id }) => id),
      ids.slice(2),
    );
    await store.close();
  });

  test('a database in which not every name can be stored is refused', async () => {
    const url = await server.createDatabase(
      `template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'`,
    );
    await assert.rejects(open(url), { code: 'failed', message: /LATIN1, not UTF8/ });
  });

  test('a server that does not wait for its disk is warned of', async () => {
    const url = new URL(await server.createDatabase());
    const lines: unknown[][] = [];
    const log = { info: () => {}, warn: (...line: unknown[]) => lines.push(line) } as unknown as NonNullable<
      PostgresOptions['log']
    >;
    await (await open(url.href, { log })).close();
    assert.deepEqual(lines, []);
    url.searchParams.set('options', '-c synchronous_commit=off');
    await (await open(url.href, { log })).close();
    assert.match(JSON.stringify(lines), /"synchronous_commit":"off"/);
  });

  test('outcomes and confirmed jobs are found by index, however few rows there are', async () => {
    const url = await server.createDatabase();
    const scans = async () => {
      const [row] = await query(
        url,
        `select sum(seq_scan) as n from pg_stat_user_tables where relname in ('images', 'outbox')`,
      );
      return Number(row?.n);
    };
    const first = await open(url, { poolSize: 1 });
    const jobs = [];
    for (let n = 0; n < 20; n++) jobs.push(await accepted(first));
    await first.close();
    const before = await scans();
    const store = await open(url, { poolSize: 1, migrate: false });
    await store.record(jobs.slice(0, 10).map((job) => succeeded(job)));
    await store.published(jobs.slice(10));
    assert.equal((await store.image(jobs[0]?.id ?? ''))?.state, 'succeeded');
    // A connection tells of its scans by the time it ends.
    await store.close();
    await eventually('its connections have ended', async () => {
      const ours = `select 1 from pg_stat_activity where application_name = 'gantry' and datname = current_database()`;
      return (await query(url, ours)).length === 0;
    });
    assert.equal(await scans(), before);
  });

  test('the ledger finds what hangs in the air', async () => {
    const url = await server.createDatabase();
    const store = await open(url);
    const [one, two, three] = [await accepted(store), await accepted(store), await accepted(store)];
    await store.published([three]);
    await query(
      url,
      `
      set session_replication_role = replica;
      update images set state = 'dead', waiting_since = null where id = '${one.id}';
      update outbox set generation = 2 where image_id = '${two.id}';
      insert into outbox values ('${newImage().id}', 1, 0);
      insert into results values ('${newImage().id}', 1, 'd', 1, '{}', 0);
      insert into thumbnails values ('${newImage().id}', ''), ('${three.id}', '')`,
    );
    const { outbox, strayOutbox, strayResults } = await store.ledger();
    assert.deepEqual([outbox, strayOutbox, strayResults], [3, 3, 2]);
    // What was left of a final image is in nobody's way.
    assert.equal(await store.replayDead(10), 1);
    assert.equal((await store.ledger()).strayOutbox, 2);
    await store.close();
  });
});

const openssl = spawnSync('openssl', ['version']).status === 0;
const noTls = postgresMissing || (!openssl && 'openssl is not installed');
describe('PostgreSQL over TLS', { skip: noTls }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-tls-'));
  const [cert, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
  let secure: Postgres;
  before(async () => {
    const make = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const names = ['-subj', '/CN=db.test', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', [...make, ...names, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    secure = await startPostgres({ ssl: 'on', ssl_cert_file: cert, ssl_key_file: key }, (owner) => {
      for (const file of [folder, cert, key]) chownSync(file, owner.uid, owner.gid);
    });
  });
  after(async () => {
    await secure.dispose();
    rmSync(folder, { recursive: true });
  });

  test('the certificate is checked as libpq checks it', async () => {
    const ca = readFileSync(cert, 'utf8');
    const url = new URL(await secure.createDatabase());
    const connects = async (
      host: string,
      sslmode: string | undefined,
      more: Partial<PostgresOptions> = {},
    ) => {
      url.hostname = host;
      if (sslmode === undefined) url.searchParams.delete('sslmode');
      else url.searchParams.set('sslmode', sslmode);
      try {
        const store = await open(url.href, more);
        await store.ping();
        await store.close();
        return 'connected';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    assert.equal(await connects('localhost', 'verify-full', { ca }), 'connected');
    assert.equal(await connects('localhost', undefined, { ca }), 'connected');
    assert.equal(await connects('localhost', 'verify-full'), 'refused', 'nobody vouches for it');
    assert.equal(await connects('127.0.0.1', 'verify-full', { ca }), 'refused', 'of another name');
    assert.equal(await connects('127.0.0.1', undefined, { ca }), 'refused');
    assert.equal(await connects('127.0.0.1', 'verify-ca', { ca }), 'connected');
    assert.equal(await connects('127.0.0.1', 'require'), 'connected');
    url.searchParams.set('sslrootcert', cert);
    assert.equal(await connects('localhost', 'verify-full'), 'connected');
  });
});
