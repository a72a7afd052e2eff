import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fixture, json, upload } from '../acceptance/target.ts';
import { startGantry } from '../start-gantry.ts';
import { gantry } from './run-gantry.ts';

const lines = (text: string): string[] => text.trimEnd().split('\n');

/** A folder with a key file to be, and `gantry keys` on it. */
const withKeyFile = async (t: TestContext) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-keys-'));
  t.after(() => rm(dir, { recursive: true }));
  const file = join(dir, 'keys.json');
  const keys = (...args: string[]) => gantry(['keys', ...args], { GANTRY_API_KEYS_FILE: file });
  const create = async (name: string, ...args: string[]): Promise<string> => {
    const { out, err, code } = await keys('create', '--name', name, ...args);
    assert.deepEqual([err, code], ['', 0]);
    assert.match(out, /^gantry_[a-z0-9]{12}_[A-Za-z0-9_-]{43}\n$/);
    return out.trim();
  };
  return { dir, file, keys, create };
};

test('create prints the key once, list shows what may be shown, revoke takes it', async (t) => {
  const { file, keys, create } = await withKeyFile(t);
  const key = await create(
    'ci',
    '--scope',
    'upload',
    '--scope',
    'read',
    '--expires',
    '90d',
    '--rate',
    '100/m',
  );
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const made = await keys('create', '--name', 'old', '--scope', 'admin', '--expires', '1s', '--json');
  const old = JSON.parse(made.out) as { id: string; key: string; scopes: string[]; sha256?: string };
  assert.deepEqual([old.scopes, old.sha256], [['admin'], undefined]);

  const id = key.slice(7, 19);
  const shown = await keys('list');
  const [head = '', ci = ''] = lines(shown.out);
  assert.match(head, /^ID +NAME +SCOPES +RATE +CREATED +EXPIRES$/);
  assert.match(
    ci,
    new RegExp(`^${id}  ci +upload,read +100/m +20\\d\\d-\\d\\d-\\d\\d +20\\d\\d-\\d\\d-\\d\\d$`),
  );
  const listed = await keys('list', '--json');
  for (const text of [shown.out, listed.out, await readFile(file, 'utf8')])
    for (const one of [key, old.key]) assert.equal(text.includes(one.slice(-43)), false);
  assert.deepEqual(
    lines(listed.out).map((line) => Object.keys(JSON.parse(line))),
    Array(2).fill(['id', 'name', 'scopes', 'createdAt', 'expiresAt', 'rate', 'expired']),
  );

  assert.match((await keys('revoke', id)).out, new RegExp(`^${id} revoked`));
  const again = await keys('revoke', id);
  assert.deepEqual([again.code, lines(again.err).length], [1, 1]);
  assert.match(again.err, new RegExp(`there is no key ${id}`));
  await keys('revoke', old.id);
  assert.equal((await keys('list')).out, 'No keys. gantry keys create makes one.\n');
});

test('wrong usage is one line and exit code 2, a file that cannot be used exit code 1', async (t) => {
  const { file, keys, create } = await withKeyFile(t);
  const key = await create('ci', '--scope', 'read');
  const name = ['create', '--name', 'x'];
  const cases: [args: string[], line: RegExp, code: number][] = [
    [[...name, '--scope', 'write'], /--scope takes one of upload, read, admin, not "write"/, 2],
    [name, /required option '--scope/, 2],
    [['create', '--scope', 'read'], /required option '--name/, 2],
    [['create', '--name', '', '--scope', 'read'], /--name takes a text/, 2],
    [['create', '--name', 'ci', '--scope', 'read'], /there is a key called "ci" already/, 2],
    [[...name, '--scope', 'read', '--expires', 'soon'], /--expires takes a duration .*"soon"/, 2],
    [[...name, '--scope', 'read', '--rate', '5'], /--rate takes a rate such as 10\/s/, 2],
    [['revoke'], /missing required argument 'id'/, 2],
    [['revoke', 'aaaaaaaaaaaa'], /there is no key aaaaaaaaaaaa/, 1],
    [['revoke', key], /there is no key with this ID/, 1],
  ];
  for (const [args, line, expected] of cases) {
    const { out, err, code } = await keys(...args);
    assert.match(err, line);
    assert.equal(err.includes(key.slice(-43)), false);
    const [, hint = '(gantry keys create --help', ...more] = lines(err);
    assert.match(hint, /^\(gantry keys \w+ --help/);
    assert.deepEqual([more, out, code], [[], '', expected], err);
  }
  const nameless = await gantry(['keys', 'list'], { GANTRY_API_KEYS_FILE: '' });
  assert.match(nameless.err, /which keys\? Name their file with --api-keys-file or GANTRY_API_KEYS_FILE/);
  assert.equal(nameless.code, 2);
  await writeFile(file, `${key}`);
  for (const args of [['list'], ['create', '--name', 'y', '--scope', 'read']]) {
    const { err, code } = await keys(...args);
    assert.match(err, /the key file .*keys\.json cannot be used: it is no JSON/);
    assert.deepEqual([lines(err).length, code, err.includes(key)], [1, 1, false]);
  }
});

test('a server with keys: commands send one, it is followed without a restart, and nothing shows it', async (t) => {
  const { dir, file, create, keys } = await withKeyFile(t);
  const admin = await create('admin', '--scope', 'admin');
  const slow = await create('slow', '--scope', 'admin', '--rate', '1/h');
  const half = await create('half', '--scope', 'upload', '--scope', 'read');
  const server = await startGantry({
    args: ['--api-keys-file', file],
    env: { GANTRY_WORKERS: '1', GANTRY_LOG_LEVEL: 'trace' },
  });
  t.after(() => server.stop());
  await server.logged('access needs an API key', { keys: 3 });

  const without = await gantry(['canary', '--url', server.url]);
  assert.equal(without.code, 1);
  assert.match(without.err, /^refused: .*--api-key-file or GANTRY_API_KEY\) \(key-needed\)\n$/);
  const keyFile = join(dir, 'admin-key');
  await writeFile(keyFile, `${admin}\n`);
  const canary = await gantry(['canary', '--url', server.url, '--api-key-file', keyFile]);
  assert.deepEqual([canary.err, canary.code], ['', 0]);
  for (const [key, line] of [
    [half, /^refused: the API key lacks the scope admin, which this needs \(scope-missing\)\n$/],
    [
      slow,
      /^refused: this API key is limited to 1\/h; try again in \d+ s \(rate-limited\) \(tried for .* s\)\n$/,
    ],
  ] as const) {
    const refused = await gantry(['canary', '--url', server.url, '--timeout', '5s'], { GANTRY_API_KEY: key });
    assert.match(refused.err, line);
    assert.equal(refused.code, 1);
  }
  for (const env of [{ GANTRY_API_KEY: admin }, { GANTRY_API_KEY_FILE: keyFile }]) {
    const { out, code } = await gantry(['dead-letters', 'list', '--url', server.url], env);
    assert.deepEqual([out, code], ['No dead letters.\n', 0]);
  }

  const uploader = await create('camera', '--scope', 'upload');
  await server.logged('API keys read again', { keys: 4 });
  const picture = { name: 'cat.png', bytes: await fixture('cats/chelsea.png') };
  const headers = { authorization: `Bearer ${uploader}` };
  const accepted = await upload(server.url, [picture], headers);
  assert.equal(accepted.status, 202);
  const { correlationId } = await json<{ correlationId: string }>(accepted);
  const own = await fetch(`${server.url}/images/${correlationId}`, { headers });
  assert.equal(own.status, 403);
  await keys('revoke', uploader.slice(7, 19));
  await server.logged('API keys read again', { keys: 3 });
  assert.equal((await upload(server.url, [picture], headers)).status, 401);

  await server.logged('image deleted', { audit: true, action: 'delete', keyId: admin.slice(7, 19) });
  const log = JSON.stringify(server.logs);
  for (const key of [admin, uploader]) assert.equal(log.includes(key.slice(-43)), false);
});

test('a key that cannot be sent is one line', async (t) => {
  const { dir } = await withKeyFile(t);
  const file = join(dir, 'no-key');
  await writeFile(file, 's3cret\nof two lines');
  for (const [args, env, line] of [
    [['--api-key-file', '/nowhere'], {}, /--api-key-file: cannot read \/nowhere \(ENOENT\)/],
    [['--api-key-file', file], {}, /what .*no-key holds is no API key/],
    [[], { GANTRY_API_KEY: 's3cret\nx' }, /what GANTRY_API_KEY holds is no API key/],
    [[], { GANTRY_API_KEY_FILE: '/nowhere' }, /GANTRY_API_KEY_FILE: cannot read \/nowhere/],
  ] as const) {
    for (const [command, expected] of [
      [['canary'], 2],
      [['dead-letters', 'list'], 1],
    ] as const) {
      const { err, code } = await gantry([...command, ...args], env);
      assert.match(err, line);
      assert.deepEqual([lines(err).length, err.includes('s3cret'), code], [1, false, expected], err);
    }
  }
});

test('what stands behind an option that is none is not repeated', async () => {
  for (const args of [
    ['canary', '--api-key=s3cret'],
    ['keys', 'list', "--key=s3cret'x"],
    ['dead-letters', 'list', '--apikey=s3cret'],
    ['serve', '--amqp-passwrod=s3cret\ny'],
    ['model', 'check', '--token=s3cret'],
  ]) {
    const { out, err, code } = await gantry(args);
    assert.match(err, /unknown option '--[a-z-]+'/);
    assert.deepEqual([out, err.includes('s3cret'), code === 0], ['', false, false], err);
  }
});

test('a server does not start with keys that it cannot use, nor with one to send instead', async (t) => {
  const { file } = await withKeyFile(t);
  const start = (args: string[], env: NodeJS.ProcessEnv = {}) => startGantry({ args, env });
  await assert.rejects(
    start(['--api-keys-file', file]),
    /gantry ended with 1: gantry: there is no key file .*\n$/,
  );
  await writeFile(file, '{"version": 1, "keys": [{"id": "s3cret"}]}');
  await assert.rejects(start(['--api-keys-file', file]), (error) => {
    assert.match(String(error), /ended with 1: gantry: the key file .* cannot be used: keys\.0.*\n$/);
    return !String(error).includes('s3cret');
  });
  await assert.rejects(start([], { GANTRY_API_KEY_FILE: file }), /GANTRY_API_KEYS_FILE/);
});
