import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { accepted, ended, events, json, type ServerSentEvent } from '../acceptance/target.ts';
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts';
import { startGantry } from '../start-gantry.ts';
import { gantry } from './run-gantry.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const env = { GANTRY_WORKERS: '1' };

/** Runs one query after the other until one has rows. */
const until = async (client: pg.Client, query: string): Promise<void> => {
  while ((await client.query(query)).rowCount === 0);
};
const firstEvents = async (url: string, count: number): Promise<ServerSentEvent[]> => {
  const found = [];
  for await (const event of events(`${url}/events`, { 'last-event-id': '0' })) {
    found.push(event);
    if (found.length === count) break;
  }
  return found;
};

describe('gantry move-store', { skip: postgresMissing }, () => {
  let server: Postgres;
  let root: string;
  let dataDir: string;
  let ids: string[];
  let refused: Awaited<ReturnType<typeof gantry>>;
  const seen = async (url: string) => ({
    list: await json(await fetch(`${url}/images`)),
    thumbnails: await Promise.all(
      ids.map(async (id) => Buffer.from(await (await fetch(`${url}/images/${id}/thumbnail`)).arrayBuffer())),
    ),
    events: await firstEvents(url, 4),
  });
  let told: Awaited<ReturnType<typeof seen>>;
  const move = (databaseUrl: string, ...more: string[]) =>
    gantry(['move-store', '--from', dataDir, ...more], { GANTRY_DATABASE_URL: databaseUrl });

  before(async () => {
    server = await startPostgres();
    root = await mkdtemp(join(tmpdir(), 'gantry-move-cli-'));
    dataDir = join(root, 'data');
    const one = await startGantry({ dataDir, env });
    ids = [await accepted(one.url, 'cats/chelsea.png'), await accepted(one.url, 'dogs/golden_retriever.jpg')];
    for (const id of ids) await ended(one.url, id);
    told = await seen(one.url);
    refused = await move(await server.createDatabase());
    assert.equal(await one.stop(), 0);
  });
  after(async () => {
    await server.dispose();
    await rm(root, { recursive: true });
  });

  test('not beside a server that runs on the folder', () => {
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^gantry: the data folder .*data is in use; stop the server .*\n$/);
  });

  test('from one process to PostgreSQL, with results, thumbnails and history', async () => {
    const databaseUrl = await server.createDatabase();
    const done = await move(databaseUrl, '--json');
    assert.equal(done.code, 0, done.err);
    const counts = JSON.parse(done.out) as Record<string, number>;
    assert.deepEqual([counts.images, counts.results, counts.thumbnails, counts.leftBehind], [2, 2, 2, 0]);
    assert.equal(done.err, '');
    const again = await move(databaseUrl);
    assert.equal(again.code, 1);
    assert.match(again.err, /^gantry: the PostgreSQL database is not empty \(it has images, .*\n$/);

    const next = await startGantry({
      dataDir: join(root, 'other'),
      args: ['--images-dir', join(dataDir, 'images')],
      env: { ...env, GANTRY_DATABASE_URL: databaseUrl },
    });
    assert.deepEqual(await seen(next.url), told);
    assert.equal((await fetch(`${next.url}/images/${ids[0]}/original`)).status, 200);
    const added = await accepted(next.url, 'cats/chelsea.png');
    assert.equal((await ended(next.url, added)).result?.label, 'cat');
    assert.equal(await next.stop(), 0);
  });

  test('killed in the middle it leaves the database empty, and can be called again', async () => {
    const databaseUrl = await server.createDatabase();
    const environment = { GANTRY_DATABASE_URL: databaseUrl };
    // It gives the database its schema.
    await gantry(['audit', '--data-dir', join(root, 'none')], environment);
    const client = new pg.Client(databaseUrl);
    await client.connect();
    try {
      await client.query(`
        select pg_advisory_lock(7);
        create function wait() returns trigger language plpgsql as
          $$ begin perform pg_advisory_xact_lock(7); return new; end $$;
        create trigger wait before insert on events for each row execute function wait()`);
      const child = spawn(process.execPath, [cli, 'move-store', '--from', dataDir], {
        env: { ...process.env, ...environment },
        stdio: 'ignore',
      });
      const exited = once(child, 'exit');
      const waiting = `select pid from pg_stat_activity where wait_event = 'advisory' and application_name = 'gantry'`;
      await until(client, waiting);
      child.kill('SIGKILL');
      assert.deepEqual(await exited, [null, 'SIGKILL']);
      await client.query('select pg_advisory_unlock(7)');
      await until(
        client,
        `select 1 where not exists (select 1 from pg_stat_activity where application_name = 'gantry')`,
      );
      for (const table of ['images', 'results', 'events'])
        assert.equal((await client.query(`select 1 from ${table}`)).rowCount, 0, table);
    } finally {
      await client.end();
    }
    const done = await move(databaseUrl);
    assert.equal(done.code, 0, done.err);
    assert.match(
      done.out,
      /^Moved: 2 images, 2 results, 2 thumbnails, 0 jobs in the outbox, \d+ events, 0 idem/,
    );
  });

  test('what is wrong is said in one line, without a password', async () => {
    const from = join(root, 'broken');
    await mkdir(from);
    const url = new URL(await server.createDatabase());
    const missing = await gantry(['move-store', '--from', from], { GANTRY_DATABASE_URL: url.href });
    assert.deepEqual(
      [missing.code, missing.err],
      [1, `gantry: there is no database ${join(from, 'gantry.db')}; name its folder with --from\n`],
    );
    await writeFile(join(from, 'gantry.db'), 'no database; '.repeat(100));
    const [away, wrong] = [new URL(url), new URL(url)];
    away.port = '1';
    wrong.password = 'hunter2';
    for (const [args, databaseUrl, code, text] of [
      [[], url.href, 2, /needs --from, the data folder/],
      [['--from', from], '', 2, /needs a database to move to: set GANTRY_DATABASE_URL/],
      [['--from', from], 'mysql://u:hunter2@h/d', 2, /GANTRY_DATABASE_URL takes a URL such as/],
      [['--from', from, '--database-url', wrong.href], '', 2, /--database-url takes no URL with a password/],
      [['--from', `${from}/none`], url.href, 1, /there is no database/],
      [['--from', from], url.href, 1, /gantry\.db: file is not a database/],
      [['--from', dataDir], away.href, 1, /PostgreSQL: .*ECONNREFUSED/],
      [['--from', dataDir], wrong.href, 1, /password authentication failed/],
    ] as const) {
      const environment = { GANTRY_DATABASE_URL: databaseUrl };
      const { out, err, code: exitCode } = await gantry(['move-store', ...args], environment);
      assert.deepEqual([exitCode, out], [code, ''], err);
      assert.match(err, /^gantry: [^\n]+\n$/);
      assert.match(err, text);
      assert.doesNotMatch(err, new RegExp(`hunter2|${url.password}`));
    }
  });
});
