import assert from 'node:assert/strict';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { keysOf, pieces } from './blobs.contract.ts';
import { filesystemBlobs } from './filesystem.ts';

// No test can cut the power. So these watch the real calls: what is synced, and in which order.

type Step = 'sync file' | 'sync folder' | 'rename';

/** Tells `before` of each step about to be done; one that throws stands in for a device that fails. */
const watchSteps = async (t: TestContext, dir: string, before: (step: Step) => void): Promise<void> => {
  const handle = await fs.open(dir);
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  for (const name of ['sync', 'datasync'] as const) {
    const sync = prototype[name];
    t.mock.method(prototype, name, async function (this: FileHandle) {
      before((await this.stat()).isDirectory() ? 'sync folder' : 'sync file');
      await sync.call(this);
    });
  }
  const { rename } = fs;
  t.mock.method(fs, 'rename', async (...paths: Parameters<typeof rename>) => {
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
  const dir = await fs.mkdtemp(join(tmpdir(), 'gantry-durability-'));
  t.after(() => fs.rm(dir, { recursive: true }));
  return dir;
};

suite('durability of file system blobs', () => {
  test('put resolves after: file synced, folders made and synced, file renamed, its folder synced', async (t) => {
    const dir = await freshFolder(t);
    const steps: Step[] = [];
    await watchSteps(t, dir, (step) => steps.push(step));
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
      await watchSteps(t, dir, () => {
        steps += 1;
        if (steps === fatal) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
      });
      const blobs = filesystemBlobs(dir);
      const put = () => blobs.put('2026/11/23/a.jpg', pieces(Buffer.from('1')));
      await assert.rejects(put, { code: 'blobs-unavailable', message: /EIO/ });
      assert.deepEqual(await keysOf(blobs), []);
      const rest = await fs.readdir(join(dir, '.tmp'), { recursive: true });
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
    const handle = await fs.open(dir);
    const prototype: FileHandle = Object.getPrototypeOf(handle);
    await handle.close();
    const written = t.mock.method(prototype, 'write');
    const blobs = filesystemBlobs(dir);
    const all = Buffer.from(Array.from({ length: 250_000 }, (_, n) => n % 251));
    await blobs.put('2026/11/23/a.jpg', pieces(all, 5_000));
    assert.equal(written.mock.callCount(), 2);
    assert.deepEqual(Buffer.from(await blobs.read('2026/11/23/a.jpg')), all);
  });
});
