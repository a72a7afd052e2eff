import assert from 'node:assert/strict';
import fs from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { keysOf, pieces } from './blobs.contract.ts';
import { filesystemBlobs } from './filesystem.ts';

// No test can cut the power. So these watch the real calls: what is synced, and in which order.

type Step = 'sync file' | 'sync folder' | 'rename';

/** Tells `before` of each step about to be done; one that throws stands in for a device that fails. */
const watchSteps = (t: TestContext, before: (step: Step) => void): void => {
  for (const name of ['fsync', 'fdatasync'] as const) {
    const sync = fs[name];
    t.mock.method(fs, name, (file: number, done: fs.NoParamCallback) => {
      try {
        before(fs.fstatSync(file).isDirectory() ? 'sync folder' : 'sync file');
      } catch (error) {
        return done(error as Error);
      }
      return sync(file, done);
    });
  }
  const { rename } = files;
  t.mock.method(files, 'rename', async (...paths: Parameters<typeof rename>) => {
    before('rename');
    await rename(...paths);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
};

const freshFolder = async (t: TestContext): Promise<string> => {
  const dir = await files.mkdtemp(join(tmpdir(), 'gantry-durability-'));
  t.after(() => files.rm(dir, { recursive: true }));
  return dir;
};

suite('durability of file system blobs', () => {
  test('put resolves after: file synced, folders made and synced, file renamed, its folder synced', async (t) => {
    const dir = await freshFolder(t);
    const steps: Step[] = [];
    watchSteps(t, (step) => steps.push(step));
    const blobs = filesystemBlobs(dir);
    await blobs.put('2026/11/23/a.jpg', pieces(Buffer.from('1')));
    const newFolders = Array(3).fill('sync folder');
    assert.deepEqual(steps.splice(0), ['sync file', ...newFolders, 'rename', 'sync folder']);
    await blobs.put('2026/11/23/b.jpg', pieces(Buffer.from('2')));
    assert.deepEqual(steps.splice(0), ['sync file', 'rename', 'sync folder']);
    await blobs.remove('2026/11/23/a.jpg');
    assert.deepEqual(steps, ['sync folder']);
  });

  for (const fatal of [1, 2, 3, 4, 5, 6]) {
    test(`a device that fails at step ${fatal} of a put: refused, nothing kept, and the next put works`, async (t) => {
      const dir = await freshFolder(t);
      let steps = 0;
      watchSteps(t, () => {
        steps += 1;
        if (steps === fatal) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      });
      const blobs = filesystemBlobs(dir);
      const put = () => blobs.put('2026/11/23/a.jpg', pieces(Buffer.from('1')));
      await assert.rejects(put, { code: 'blobs-unavailable', message: /EIO/ });
      assert.deepEqual(await keysOf(blobs), []);
      const rest = await files.readdir(join(dir, '.tmp'), { recursive: true });
      assert.deepEqual(
        rest.filter((name) => name.includes('/')),
        [],
      );
      await put();
      assert.deepEqual(await keysOf(blobs), ['2026/11/23/a.jpg']);
    });
  }

  test('small pieces are written together, and every byte of them', async (t) => {
    const dir = await freshFolder(t);
    const written = t.mock.method(fs, 'writev');
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const blobs = filesystemBlobs(dir);
    const all = Buffer.from(Array.from({ length: 250_000 }, (_, n) => n % 251));
    await blobs.put('2026/11/23/a.jpg', pieces(all, 5_000));
    assert.equal(written.mock.callCount(), 2);
    assert.deepEqual(Buffer.from(await blobs.read('2026/11/23/a.jpg')), all);
  });
});
