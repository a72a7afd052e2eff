import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { codeOf } from './errno.ts';
import { openFile } from './file.ts';

/** Uploads under way lie here, one folder a process, so that what a dead process left can be told from what lives. */
export const temporaryFolder = '.tmp';

const host = hostname().replace(/[^A-Za-z0-9.-]/g, '_');
// The random part is what tells this process from a dead one that had the same number, as in a restarted container.
const own = `${host}-${process.pid}-${randomBytes(8).toString('hex')}`;
const ownerPattern = /^(?<host>.+)-(?<pid>\d+)-[0-9a-f]+$/;
/** Processes of other hosts cannot be asked; no upload goes an hour (ms) without a byte. */
const abandonedAfterMs = 3_600_000;

const unless = (code: string) => (error: unknown) => {
  if (codeOf(error) !== code) throw error;
};

/** This process's own folder, made if it is missing. `dir` itself is never made. */
export const makeOwnFolder = async (dir: string): Promise<string> => {
  const folder = join(dir, temporaryFolder, own);
  await mkdir(join(dir, temporaryFolder), { mode: 0o750 }).catch(unless('EEXIST'));
  await mkdir(folder, { mode: 0o750 }).catch(unless('EEXIST'));
  return folder;
};

let created = 0;

/** A new empty file that only this process knows; `file` is its descriptor, the caller's to close. */
export const createTemporaryFile = async (dir: string): Promise<{ path: string; file: number }> => {
  const path = join(dir, temporaryFolder, own, `${++created}`);
  const create = () => openFile(path, 'wx', 0o640);
  const file = await create().catch(async (error) => {
    unless('ENOENT')(error);
    await makeOwnFolder(dir);
    return create();
  });
  return { path, file };
};

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
};

const lastTouched = async (folder: string): Promise<number> => {
  const paths = (await readdir(folder)).map((name) => join(folder, name));
  const touched = [folder, ...paths].map(async (path) => (await stat(path)).mtimeMs);
  return Math.max(...(await Promise.all(touched)));
};

const isAbandoned = async (dir: string, name: string): Promise<boolean> => {
  const owner = ownerPattern.exec(name)?.groups;
  if (owner === undefined || name === own) return false;
  if (owner.host === host) return Number(owner.pid) === process.pid || !lives(Number(owner.pid));
  try {
    return Date.now() - (await lastTouched(join(dir, temporaryFolder, name))) > abandonedAfterMs;
  } catch (error) {
    // A file came or went meanwhile, so somebody is at work there.
    unless('ENOENT')(error);
    return false;
  }
};

/**
 * Removes what uploads of dead processes left in the blobs of `dir`: at once for processes of this host, after an
 * hour without a change for others. What belongs to a living process stays. Returns how many folders it removed;
 * throws what the file system throws.
 */
export const cleanTemporary = async (dir: string): Promise<number> => {
  let removed = 0;
  const names = await readdir(join(dir, temporaryFolder)).catch((error) => {
    unless('ENOENT')(error);
    return [];
  });
  for (const name of names) {
    if (!(await isAbandoned(dir, name))) continue;
    await rm(join(dir, temporaryFolder, name), { recursive: true, force: true });
    removed += 1;
  }
  return removed;
};
