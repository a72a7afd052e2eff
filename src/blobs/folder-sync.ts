import { closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './errno.ts';
import { openFile, syncFile } from './file.ts';

/** Makes the entries of a folder (names created, renamed or removed in it) durable. */
export const syncFolder = async (folder: string): Promise<void> => {
  const file = await openFile(folder, 'r');
  try {
    await syncFile(file);
  } catch (error) {
    // Some network file systems have no such call for folders: there the server decides, and there is no more to do.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EBADF') throw error;
  } finally {
    closeSync(file);
  }
};

/**
 * Lets callers that come together share a sync of the same folder. Only a sync that has not begun is shared:
 * one that is under way may have missed the caller's change.
 */
export const sharedSync = (sync: (folder: string) => Promise<void>): ((folder: string) => Promise<void>) => {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  const begin = (folder: string): Promise<void> => {
    next.delete(folder);
    const now = sync(folder).finally(() => {
      if (running.get(folder) === now) running.delete(folder);
    });
    running.set(folder, now);
    return now;
  };
  return (folder) => {
    const shared = next.get(folder);
    if (shared !== undefined) return shared;
    const before = running.get(folder) ?? Promise.resolve();
    const mine = before.then(
      () => begin(folder),
      () => begin(folder),
    );
    next.set(folder, mine);
    return mine;
  };
};

/**
 * Makes folders below `root` whose own entries are durable, and remembers which are. Another process may have made
 * one and not synced it yet, so each folder's parent is synced the first time this process uses it.
 */
export const durableFolders = (root: string, sync: (folder: string) => Promise<void>) => {
  const known = new Map<string, Promise<void>>();

  const make = async (folder: string): Promise<void> => {
    const parent = dirname(folder);
    await ensure(parent);
    try {
      await mkdir(folder, { mode: 0o750 });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    await sync(parent);
  };
  /** Resolves once the folder exists for good. `root` itself is never made: it may be a volume that is not mounted. */
  const ensure = (folder: string): Promise<void> => {
    if (folder === root) return Promise.resolve();
    let made = known.get(folder);
    if (made === undefined) {
      made = make(folder);
      known.set(folder, made);
      made.catch(() => forget(folder));
    }
    return made;
  };
  /** Someone removed the folder, or it could not be made; the folders above it may be gone as well. */
  const forget = (folder: string): void => {
    for (let path = folder; path.length > root.length; path = dirname(path)) known.delete(path);
  };
  return { ensure, forget };
};
