import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from './lifecycle.ts';

const pauseMs = 100;

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
 * held through SQLite since Node has none of its own. False if another process has it.
 */
const tryToTake = (path: string): boolean => {
  const lock = new DatabaseSync(join(path, 'gantry.lock'));
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch {
    lock.close();
    return false;
  }
  // Kept referenced: a collected handle would give up the lock.
  process.once('exit', () => lock.close());
  return true;
};

/**
 * Takes the data folder for this process until it ends. Another process that has it is waited for up to `patienceMs`;
 * `onWait` is called once. Throws {@link StartError}.
 */
export const takeDataFolder = async (path: string, patienceMs = 0, onWait = () => {}): Promise<void> => {
  writableFolder(path);
  const deadline = performance.now() + patienceMs;
  for (let told = false; !tryToTake(path); told = true) {
    if (performance.now() >= deadline) {
      throw new StartError(`the data folder ${path} is in use by another gantry; choose one with --data-dir`);
    }
    if (!told) onWait();
    await sleep(pauseMs);
  }
};
