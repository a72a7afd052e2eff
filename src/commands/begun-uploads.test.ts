import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { begunUploads, begunUploadsPath } from './begun-uploads.ts';

const file = { server: 'http://localhost:5000/', sha256: 'a'.repeat(64), bytes: 9_000_000 };
const other = { ...file, server: 'http://elsewhere:5000/' };

const opened = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-begun-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'state/gantry/uploads.json');
  const told: string[] = [];
  return { folder, path, told, begun: begunUploads(path, (line) => told.push(line)) };
};

test('what one run notes the next one finds, until it is forgotten; it is for its owner only', async (t) => {
  const { path, told, begun } = await opened(t);
  assert.equal(await begun.keyOf(file), undefined);
  await begun.forget(file);
  await assert.rejects(stat(path), { code: 'ENOENT' });
  await begun.note(file, 'one');
  await begun.note(other, 'two');
  await begun.note(file, 'three');
  const next = begunUploads(path, () => assert.fail());
  assert.deepEqual([await next.keyOf(file), await next.keyOf(other)], ['three', 'two']);
  assert.equal(await next.keyOf({ ...file, bytes: 1 }), undefined);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await next.forget(file);
  assert.deepEqual([await begun.keyOf(file), await begun.keyOf(other)], [undefined, 'two']);
  await next.forget(other);
  await assert.rejects(stat(path), { code: 'ENOENT' });
  assert.deepEqual(told, []);
});

test('all that is noted at once is there, and nothing else stays in the folder', async (t) => {
  const { path, begun } = await opened(t);
  const files = Array.from({ length: 20 }, (_, n) => ({ ...file, bytes: n }));
  await Promise.all(files.map((one, n) => begun.note(one, `${n}`)));
  assert.deepEqual(
    await Promise.all(files.map((one) => begun.keyOf(one))),
    files.map((_, n) => `${n}`),
  );
  assert.deepEqual(await readdir(join(path, '..')), ['uploads.json']);
});

test('what is too old is left out', async (t) => {
  const { path, begun } = await opened(t);
  await begun.note(file, 'old');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/"begunAt": ".*"/, '"begunAt": "2020-01-01T00:00:00Z"'));
  assert.equal(await begun.keyOf(file), undefined);
  await begun.note(other, 'new');
  assert.doesNotMatch(await readFile(path, 'utf8'), /"old"/);
});

test('a file that is damaged, or cannot be written, is told of once', async (t) => {
  for (const damage of ['{', '{}', '[1]', '[{"key": 1}]', '']) {
    const { path, told, begun } = await opened(t);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, damage);
    assert.equal(await begun.keyOf(file), undefined);
    await begun.note(file, 'one');
    assert.equal(await begun.keyOf(file), 'one');
    assert.deepEqual(told, [
      `${path} cannot be used (it is damaged): an upload that is killed begins from its start again`,
    ]);
  }
  const { folder, path, told, begun } = await opened(t);
  // In the way, for root, too.
  await writeFile(join(folder, 'state'), '');
  await chmod(join(folder, 'state'), 0o600);
  assert.equal(await begun.keyOf(file), undefined);
  await begun.note(file, 'one');
  await begun.forget(file);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', new RegExp(`^${path} cannot be used \\(ENOTDIR\\): `));
});

test('where it is, by the XDG Base Directory Specification', () => {
  const home = join(homedir(), '.local/state/gantry/uploads.json');
  assert.equal(begunUploadsPath({ XDG_STATE_HOME: '/var/state' }), '/var/state/gantry/uploads.json');
  assert.equal(begunUploadsPath({}), home);
  assert.equal(begunUploadsPath({ XDG_STATE_HOME: 'relative' }), home);
});
