import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { runProgram } from '../../scripts/charts/programs.ts';
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts';

const script = fileURLToPath(
  new URL('../../deploy/terraform/gantry/charts/gantry-foundation/files/database-user.sql', import.meta.url),
);

let postgres: Postgres;
let folder: string;
let administrator: URL;

before(async () => {
  if (postgresMissing) return;
  folder = mkdtempSync(join(tmpdir(), 'terraform-database-'));
  // The script's own name for the user is the administrator's here, so it gets another one below.
  postgres = await startPostgres();
  administrator = new URL(await postgres.createDatabase());
});
after(async () => {
  await postgres?.dispose();
  if (folder) rmSync(folder, { recursive: true });
});

/** As the Job runs it, with the user's name and password in files. */
const run = async (password: string, more: string[] = []): Promise<string> => {
  writeFileSync(join(folder, 'username'), 'gantry-user');
  writeFileSync(join(folder, 'password'), password);
  const { code, output, errors } = await runProgram(
    'psql',
    ['--no-psqlrc', '--quiet', '--file', script, ...more],
    '',
    {
      CREDENTIALS: folder,
      PGHOST: administrator.hostname,
      PGPORT: administrator.port,
      PGDATABASE: administrator.pathname.slice(1),
      PGUSER: administrator.username,
      PGPASSWORD: administrator.password,
      PGSSLMODE: 'prefer',
    },
  );
  return code === 0 ? output : assert.fail(errors);
};

const loggedIn = async (password: string): Promise<pg.Client> => {
  const url = new URL(administrator);
  url.username = 'gantry-user';
  url.password = password;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  return client;
};

test('makes a user who may do what Gantry does, and no more', { skip: postgresMissing }, async () => {
  assert.equal(await run("it's secret"), '');
  const client = await loggedIn("it's secret");
  try {
    await client.query('create table images (id text primary key)');
    await client.query("insert into images values ('a')");
    await client.query('listen images');
    const { rows } = await client.query(
      'select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = user',
    );
    assert.deepEqual(rows, [{ rolsuper: false, rolcreaterole: false, rolcreatedb: false }]);
    await assert.rejects(client.query('create database other'), { code: '42501' });
  } finally {
    await client.end();
  }
});

test('run again it sets the password, and keeps what is there', { skip: postgresMissing }, async () => {
  await run('first');
  await run('second');
  const client = await loggedIn('second');
  await client.end();
  await assert.rejects(loggedIn('first'), { code: '28P01' });
});

test('the password is neither said nor on the command line', { skip: postgresMissing }, async () => {
  assert.doesNotMatch(await run('canary-4711', ['--echo-errors']), /canary-4711/);
});
