import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ApiKey } from './api-key.ts';
import { changeKeys, KeyFileError, parseKeys, readKeys } from './key-file.ts';

const folder = async (t: TestContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-keys-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
};
const key = (id: string, change: Partial<ApiKey> = {}): ApiKey => ({
  ...{ id, name: id, sha256: '0'.repeat(64), scopes: ['read'], rate: null },
  ...{ createdAt: '2026-01-01T00:00:00Z', expiresAt: null, ...change },
});
const [a, b] = [key('aaaaaaaaaaaa'), key('bbbbbbbbbbbb')];
const textOf = (...keys: unknown[]): string => JSON.stringify({ version: 1, keys });

test('what is written can be read, by its owner only', async (t) => {
  const dir = await folder(t);
  const file = join(dir, 'keys.json');
  await changeKeys(file, () => [a]);
  await changeKeys(file, (keys) => [...keys, b]);
  assert.deepEqual(await readKeys(file), [a, b]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(dir), ['keys.json']);
});

test('a file that others may read stays so, and a link stays a link', async (t) => {
  const dir = await folder(t);
  const [file, link] = [join(dir, 'keys.json'), join(dir, 'link.json')];
  await changeKeys(file, () => [a]);
  await chmod(file, 0o640);
  await symlink('keys.json', link);
  await changeKeys(link, () => [b]);
  assert.equal(await readlink(link), 'keys.json');
  assert.equal((await stat(file)).mode & 0o777, 0o640);
  assert.deepEqual(await readKeys(file), [b]);
});

test('a change that fails leaves the file as it was, and two at once are refused', async (t) => {
  const dir = await folder(t);
  const file = join(dir, 'keys.json');
  await changeKeys(file, () => [a]);
  const before = await readFile(file, 'utf8');
  const fault = new Error('no');
  const failing = changeKeys(file, () => {
    throw fault;
  });
  await assert.rejects(failing, (error) => error === fault);
  assert.equal(await readFile(file, 'utf8'), before);
  await writeFile(`${file}.new`, '');
  await assert.rejects(
    changeKeys(file, () => [b]),
    { code: 'key-file-in-use', message: /remove .*\.new/ },
  );
  await rm(`${file}.new`);
  await changeKeys(file, () => [b]);
});

test('a file that is broken is not overwritten', async (t) => {
  const file = join(await folder(t), 'keys.json');
  await writeFile(file, '{');
  await assert.rejects(
    changeKeys(file, () => [a]),
    { code: 'key-file-invalid' },
  );
  assert.equal(await readFile(file, 'utf8'), '{');
});

test('a file that is not there, or no file', async (t) => {
  const dir = await folder(t);
  await assert.rejects(readKeys(join(dir, 'none')), {
    code: 'key-file-missing',
    message: /there is no key file/,
  });
  await assert.rejects(readKeys(join(dir, 'none', 'x')), { code: 'key-file-missing' });
  await writeFile(join(dir, 'file'), '');
  await assert.rejects(readKeys(join(dir, 'file', 'x')), {
    code: 'key-file-unreadable',
    message: /ENOTDIR/,
  });
});

test('what is no file, or far too large, is refused and not read', { timeout: 10_000 }, async (t) => {
  const dir = await folder(t);
  const [pipe, large] = [join(dir, 'pipe'), join(dir, 'large')];
  // Nobody ever writes into it.
  execFileSync('mkfifo', [pipe]);
  await writeFile(large, '');
  await truncate(large, 10_000_001);
  for (const file of [dir, pipe, '/dev/zero']) {
    await assert.rejects(readKeys(file), {
      code: 'key-file-unreadable',
      message: `the key file ${file} cannot be used: it is a folder, a pipe or a device`,
    });
  }
  const tooLarge = { code: 'key-file-unreadable', message: /large cannot be used: it is larger than 10 MB$/ };
  await assert.rejects(readKeys(large), tooLarge);
  await assert.rejects(
    changeKeys(large, () => [a]),
    tooLarge,
  );
  assert.deepEqual((await readdir(dir)).sort(), ['large', 'pipe']);
});

const secret = 'S3CRET';
const faults: [name: string, text: string, message: RegExp][] = [
  ['no JSON', `{"keys": ${secret}`, /it is no JSON$|it is no JSON \(line 1 column \d+\)$/],
  ['empty', '', /it is no JSON/],
  ['a list', `["${secret}"]`, /the whole must be/],
  ['no version', '{"keys": []}', /version is missing/],
  ['another version', '{"version": 2, "keys": []}', /version must be 1/],
  ['no keys', '{"version": 1}', /keys is missing/],
  ['keys as an object', `{"version": 1, "keys": {"${secret}": 1}}`, /keys must be a list/],
  ['a key that is a text', textOf(secret), /keys\.0 must be a key/],
  ['a key without most', textOf(a, { id: 'cccccccccccc', name: secret }), /keys\.1: .*sha256.* are missing/],
  ['a plain key in it', textOf({ ...a, key: secret }), /keys\.0 has a field that does not belong there/],
  ['a bad ID', textOf({ ...a, id: secret }), /keys\.0\.id must be 12 of/],
  ['a bad digest', textOf({ ...a, sha256: secret }), /keys\.0\.sha256 must be 64/],
  [
    'an unknown scope',
    textOf({ ...a, scopes: [secret] }),
    /keys\.0\.scopes must be a list of upload, read, admin/,
  ],
  ['no scope', textOf({ ...a, scopes: [] }), /keys\.0\.scopes must be/],
  ['a bad expiry', textOf({ ...a, expiresAt: secret }), /keys\.0\.expiresAt must be a time/],
  [
    'a day that is none',
    textOf({ ...a, expiresAt: '2026-13-01T00:00:00Z' }),
    /keys\.0\.expiresAt must be a time/,
  ],
  ['a bad rate', textOf({ ...a, rate: secret }), /keys\.0\.rate must be a rate such as 100\/m/],
  ['an ID twice', textOf(a, { ...a, name: 'other' }), /keys\.1\.id is there twice/],
  ['a name twice', textOf(a, { ...b, name: a.name }), /keys\.1\.name is there twice/],
];
for (const [name, text, message] of faults) {
  test(`one line says what is wrong and not what is there: ${name}`, () => {
    assert.throws(
      () => parseKeys('/etc/keys.json', text),
      (error) => {
        assert.ok(error instanceof KeyFileError);
        assert.match(error.message, message);
        assert.match(error.message, /^the key file \/etc\/keys\.json cannot be used: [^\n]+$/);
        assert.ok(!`${error.stack} ${JSON.stringify(error.cause)}`.includes(secret));
        return true;
      },
    );
  });
}
