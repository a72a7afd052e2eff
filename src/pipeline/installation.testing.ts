import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Blobs } from '../blobs/blobs.ts';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';

/** An empty store and image folder, gone when the test ends. */
export const emptyInstallation = async (t: TestContext): Promise<{ store: Store; blobs: Blobs }> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-installation-'));
  const store = await openSqliteStore(join(folder, 'gantry.db'));
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  const blobs = filesystemBlobs(join(folder, 'images'));
  await blobs.prepare();
  return { store, blobs };
};
