import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { blobsContract, keysOf, pieces } from './blobs.contract.ts';
import { BlobsUnavailable } from './blobs.ts';
import { filesystemBlobs } from './filesystem.ts';

const freshFolder = () => mkdtemp(join(tmpdir(), 'gantry-blobs-'));
const key = '2026/11/23/a.jpg';
const everything = async (dir: string): Promise<string[]> => (await readdir(dir, { recursive: true })).sort();
const temporaryFiles = async (dir: string): Promise<string[]> =>
  (await everything(join(dir, '.tmp'))).filter((name) => name.includes('/'));

blobsContract('file system', async () => {
  const dir = await freshFolder();
  const blobs = filesystemBlobs(dir);
  await blobs.prepare();
  return {
    blobs,
    dispose: async () => {
      // Whatever a test did, no temporary file may be left behind.
      assert.deepEqual(await temporaryFiles(dir), []);
      await rm(dir, { recursive: true });
    },
  };
});

/** A small file system of its own, or the reason why there is none. */
const mountSmall = async (t: TestContext): Promise<{ dir: string } | { skip: string }> => {
  const dir = await freshFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { encoding: 'utf8' });
  if (mounted.status === 0) t.after(() => spawnSync('umount', ['--lazy', dir]));
  t.after(() => rm(dir, { recursive: true, force: true }).catch(() => {}));
  return mounted.status === 0
    ? { dir }
    : { skip: `cannot mount: ${mounted.error?.message ?? mounted.stderr.trim()}` };
};

suite('file system blobs', () => {
  test('a key is a path below the folder', async (t) => {
    const dir = await freshFolder();
    t.after(() => rm(dir, { recursive: true }));
    await filesystemBlobs(dir).put(key, pieces(Buffer.from('1')));
    assert.equal((await stat(join(dir, key))).mode & 0o777, 0o640 & ~process.umask());
    assert.equal((await stat(join(dir, '2026'))).mode & 0o777, 0o750 & ~process.umask());
  });

  test('a full disk: nothing is kept, and what fits is stored afterwards', async (t) => {
    const mounted = await mountSmall(t);
    if ('skip' in mounted) return t.skip(mounted.skip);
    const blobs = filesystemBlobs(mounted.dir);
    await assert.rejects(blobs.put(key, pieces(randomBytes(2_000_000), 65_536)), (error) => {
      assert.ok(error instanceof BlobsUnavailable);
      assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOSPC');
      return true;
    });
    assert.deepEqual(await temporaryFiles(mounted.dir), []);
    assert.deepEqual(await keysOf(blobs), []);
    const free = await blobs.freeBytes();
    assert.ok(free !== undefined && free > 500_000 && free <= 1_048_576, `${free} bytes free`);
    await blobs.put(key, pieces(randomBytes(500_000)));
    assert.equal((await blobs.read(key)).byteLength, 500_000);
  });

  test('a read-only folder can be read; put and remove say that it cannot be written to', async (t) => {
    const mounted = await mountSmall(t);
    if ('skip' in mounted) return t.skip(mounted.skip);
    await mkdir(join(mounted.dir, '2026/11/23'), { recursive: true });
    await writeFile(join(mounted.dir, key), 'picture');
    spawnSync('mount', ['-o', 'remount,ro', mounted.dir]);
    const blobs = filesystemBlobs(mounted.dir);
    assert.equal((await blobs.read(key)).toString(), 'picture');
    assert.equal((await blobs.open(key)).stream.destroy().destroyed, true);
    assert.deepEqual(await keysOf(blobs), [key]);
    const readOnly = { code: 'blobs-unavailable', message: /EROFS/ };
    await assert.rejects(blobs.put('b', pieces(Buffer.from('1'))), readOnly);
    await assert.rejects(blobs.remove(key), readOnly);
    await assert.rejects(blobs.prepare(), readOnly);
  });

  test('who only reads writes nothing', async (t) => {
    const dir = await freshFolder();
    t.after(() => rm(dir, { recursive: true }));
    const blobs = filesystemBlobs(dir);
    await assert.rejects(blobs.read(key));
    await keysOf(blobs);
    await blobs.freeBytes();
    assert.deepEqual(await everything(dir), []);
  });

  test('without its folder the storage is unavailable, not every blob missing; prepare makes the folder', async (t) => {
    const parent = await freshFolder();
    t.after(() => rm(parent, { recursive: true }));
    const blobs = filesystemBlobs(join(parent, 'data/images'));
    for (const attempt of [
      () => blobs.read(key),
      () => blobs.open(key),
      () => blobs.put(key, pieces(Buffer.from('1'))),
      () => blobs.remove(key),
      () => blobs.freeBytes(),
      () => keysOf(blobs),
    ]) {
      await assert.rejects(attempt, { code: 'blobs-unavailable', message: /ENOENT/ });
    }
    assert.deepEqual(await everything(parent), []);
    await blobs.prepare();
    await blobs.put(key, pieces(Buffer.from('1')));
    assert.deepEqual(await keysOf(blobs), [key]);
  });

  test('a file where a folder should be makes the storage unavailable', async (t) => {
    const dir = await freshFolder();
    t.after(() => rm(dir, { recursive: true }));
    await writeFile(join(dir, 'file'), '');
    await assert.rejects(filesystemBlobs(dir).read('file/a.jpg'), { message: /ENOTDIR/ });
    await assert.rejects(filesystemBlobs(dir).put('file/a.jpg', pieces(Buffer.from('1'))), BlobsUnavailable);
    assert.deepEqual(await temporaryFiles(dir), []);
    await assert.rejects(filesystemBlobs(join(dir, 'file')).prepare(), BlobsUnavailable);
  });

  test('a folder removed meanwhile is made again, also the temporary one', async (t) => {
    const dir = await freshFolder();
    t.after(() => rm(dir, { recursive: true }));
    const blobs = filesystemBlobs(dir);
    await blobs.put(key, pieces(Buffer.from('1')));
    await rm(join(dir, '2026'), { recursive: true });
    await rm(join(dir, '.tmp'), { recursive: true });
    await blobs.put(key, pieces(Buffer.from('2')));
    assert.equal((await blobs.read(key)).toString(), '2');
  });

  test('list leaves out what no key leads to', async (t) => {
    const dir = await freshFolder();
    t.after(() => rm(dir, { recursive: true }));
    const blobs = filesystemBlobs(dir);
    await blobs.put(key, pieces(Buffer.from('1')));
    await mkdir(join(dir, 'lost+found'));
    await writeFile(join(dir, 'lost+found/a'), '');
    await writeFile(join(dir, '.hidden'), '');
    await symlink('/', join(dir, 'root'));
    assert.deepEqual(await keysOf(blobs), [key]);
  });
});
