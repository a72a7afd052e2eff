import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { begunUploads, begunUploadsFolder } from './begun-uploads.ts';

const file = { server: 'http://localhost:5000/', sha256: 'a'.repeat(64), bytes: 9_000_000 };
const other = { ...file, server: 'http://elsewhere:5000/' };

const opened = async (t: TestContext) => {
  const state = await mkdtemp(join(tmpdir(), 'gantry-begun-'));
  t.after(() => rm(state, { recursive: true }));
  const folder = join(state, 'state/gantry/uploads');
  const told: string[] = [];
  const files = async (): Promise<string[]> =>
    (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  return { state, folder, told, files, begun: begunUploads(folder, (line) => told.push(line)) };
};

test('what one run notes the next one finds, until it is forgotten; it is for its owner only', async (t) => {
  const { folder, told, files, begun } = await opened(t);
  assert.equal(await begun.keyOf(file), undefined);
  await begun.forget(file);
  await assert.rejects(stat(folder), { code: 'ENOENT' });
  await begun.note(file, 'one');
  await begun.note(other, 'two');
  await begun.note(file, 'three');
  const next = begunUploads(folder, () => assert.fail());
  assert.deepEqual([await next.keyOf(file), await next.keyOf(other)], ['three', 'two']);
  assert.equal(await next.keyOf({ ...file, bytes: 1 }), undefined);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const path of await files()) assert.equal((await stat(path)).mode & 0o777, 0o600);
  await next.forget(file);
  assert.deepEqual([await begun.keyOf(file), await begun.keyOf(other)], [undefined, 'two']);
  await next.forget(other);
  assert.deepEqual([await files(), told], [[], []]);
});

test('what several runs note and forget at once is right, and nothing else stays in the folder', async (t) => {
  const { folder, told, files } = await opened(t);
  const sent = Array.from({ length: 40 }, (_, n) => ({ ...file, bytes: n }));
  const runs = Array.from({ length: 4 }, () => begunUploads(folder, (line) => told.push(line)));
  const changes = sent.map(async (one, n) => {
    const run = runs[n % runs.length];
    const noted = run?.note(one, `${n}`);
    if (n % 2 === 0) await run?.forget(one);
    await noted;
  });
  await Promise.all(changes);
  const next = begunUploads(folder, (line) => told.push(line));
  assert.deepEqual(
    await Promise.all(sent.map((one) => next.keyOf(one))),
    sent.map((_, n) => (n % 2 === 0 ? undefined : `${n}`)),
  );
  assert.deepEqual([(await files()).length, told], [20, []]);
});

test('what is too old is removed, also what a killed run has left', async (t) => {
  const { folder, files, begun } = await opened(t);
  await begun.note(file, 'old');
  await writeFile(join(folder, 'half'), '');
  for (const path of await files()) await utimes(path, 0, 0);
  await begunUploads(folder, () => assert.fail()).note(other, 'new');
  assert.deepEqual([await begun.keyOf(file), await begun.keyOf(other)], [undefined, 'new']);
  assert.equal((await files()).length, 1);
});

test('a file that is damaged, or cannot be written, is told of once', async (t) => {
  for (const damage of ['{', '{}', '[1]', '{"key": 1}', '']) {
    const { folder, told, files, begun } = await opened(t);
    await begun.note(file, 'one');
    for (const path of await files()) await writeFile(path, damage);
    assert.deepEqual([await begun.keyOf(file), await begun.keyOf(file)], [undefined, undefined]);
    await begun.note(file, 'two');
    assert.equal(await begun.keyOf(file), 'two');
    assert.deepEqual(told, [
      `${folder} cannot be used (what is in it is damaged): an upload that is killed begins from its start again`,
    ]);
  }
  const { state, folder, told, begun } = await opened(t);
  // In the way, for root, too.
  await writeFile(join(state, 'state'), '');
  assert.equal(await begun.keyOf(file), undefined);
  await begun.note(file, 'one');
  await begun.forget(file);
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', new RegExp(`^${folder} cannot be used \\(ENOTDIR\\): `));
});

test('where it is, by the XDG Base Directory Specification', () => {
  const home = join(homedir(), '.local/state/gantry/uploads');
  assert.equal(begunUploadsFolder({ XDG_STATE_HOME: '/var/state' }), '/var/state/gantry/uploads');
  assert.equal(begunUploadsFolder({}), home);
  assert.equal(begunUploadsFolder({ XDG_STATE_HOME: 'relative' }), home);
});
