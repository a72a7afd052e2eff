import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { BlobMissing } from './blobs.ts';
import { filesystemBlobs } from './filesystem.ts';
import { cleanTemporary, createTemporaryFile } from './temporary.ts';

const freshFolder = async (t: TestContext): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-temporary-'));
  t.after(() => rm(dir, { recursive: true }));
  return dir;
};
const temporaryFiles = async (dir: string): Promise<string[]> =>
  (await readdir(join(dir, '.tmp'), { recursive: true })).filter((name) => name.includes('/'));
const leave = async (dir: string, owner: string): Promise<string> => {
  const folder = join(dir, '.tmp', owner);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'rest'), 'rest');
  return folder;
};
/** A process number that was in use a moment ago. */
const deadPid = (): number => spawnSync(process.execPath, ['--version']).pid;

suite('temporary files', () => {
  test('kill -9 of a process that writes: the key stays invisible and the rest is removed, not before', async (t) => {
    const dir = await freshFolder(t);
    const program = `
      import { filesystemBlobs } from ${JSON.stringify(import.meta.resolve('./filesystem.ts'))};
      const source = async function* () {
        yield Buffer.alloc(1_000_000, 1);
        process.stdout.write('writing');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      };
      await filesystemBlobs(${JSON.stringify(dir)}).put('2026/11/23/a.jpg', source());
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    assert.equal(await cleanTemporary(dir), 0);
    assert.equal((await temporaryFiles(dir)).length, 1);

    child.kill('SIGKILL');
    await ended;
    await assert.rejects(filesystemBlobs(dir).read('2026/11/23/a.jpg'), BlobMissing);
    assert.equal(await cleanTemporary(dir), 1);
    assert.deepEqual(await readdir(join(dir, '.tmp')), []);
  });

  test('our own files stay; those of a dead process that had our number go', async (t) => {
    const dir = await freshFolder(t);
    const { path, file } = await createTemporaryFile(dir);
    t.after(() => closeSync(file));
    await leave(dir, `${hostname()}-${process.pid}-0123456789abcdef`);
    assert.equal(await cleanTemporary(dir), 1);
    assert.deepEqual(
      (await temporaryFiles(dir)).map((name) => join(dir, '.tmp', name)),
      [path],
    );
  });

  test("another host's are removed after an hour without a change, whatever number they have", async (t) => {
    const dir = await freshFolder(t);
    const longAgo = new Date(Date.now() - 3_700_000);
    const abandoned = await leave(dir, `web-7d9f-x2-${process.pid}-0123456789abcdef`);
    await utimes(join(abandoned, 'rest'), longAgo, longAgo);
    await utimes(abandoned, longAgo, longAgo);
    const slow = await leave(dir, `web-7d9f-x3-${deadPid()}-0123456789abcdef`);
    await utimes(slow, longAgo, longAgo);
    await leave(dir, `web-7d9f-x4-${deadPid()}-0123456789abcdef`);
    assert.equal(await cleanTemporary(dir), 1);
    assert.deepEqual((await readdir(join(dir, '.tmp'))).length, 2);
  });

  test('prepare cleans up', async (t) => {
    const dir = await freshFolder(t);
    await leave(dir, `${hostname()}-${deadPid()}-0123456789abcdef`);
    await filesystemBlobs(dir).prepare();
    assert.deepEqual(await temporaryFiles(dir), []);
  });

  test('what is not ours is left alone', async (t) => {
    const dir = await freshFolder(t);
    await leave(dir, 'notes');
    assert.equal(await cleanTemporary(dir), 0);
    assert.deepEqual(await temporaryFiles(dir), ['notes/rest']);
  });

  test('nothing there is nothing to do', async (t) => {
    const dir = await freshFolder(t);
    assert.equal(await cleanTemporary(dir), 0);
    assert.deepEqual(await readdir(dir), []);
  });
});
