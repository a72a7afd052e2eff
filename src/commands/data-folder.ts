import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from './lifecycle.ts';

/** Node's own recursive mkdir never returns where a folder exists but takes no children, as in /proc. */
const makeFolder = (path: string): void => {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    mkdirSync(path);
  }
};

/** Creates the folder if need be. Throws {@link StartError} if it cannot be written to. */
export const writableFolder = (path: string): void => {
  try {
    makeFolder(path);
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new StartError(`the folder ${path} cannot be written to (${code})`, { cause });
  }
};

/**
 * Takes the data folder for this process until it ends, however it ends: the lock is one of the operating system's,
 * held through SQLite since Node has none of its own. Throws {@link StartError} if another process has it.
 */
export const takeDataFolder = (path: string): void => {
  writableFolder(path);
  const lock = new DatabaseSync(join(path, 'gantry.lock'));
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (cause) {
    throw new StartError(`the data folder ${path} is in use by another gantry; choose one with --data-dir`, {
      cause,
    });
  }
  // Kept referenced: a collected handle would give up the lock.
  process.once('exit', () => lock.close());
};
