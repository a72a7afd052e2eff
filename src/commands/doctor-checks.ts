import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { Config } from '../config.ts';
import { bytesText, counted } from './texts.ts';

/** What a check finds. `mend`: how to, where something is wrong. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly mend: string | null;
}

export type Verdict = Omit<Finding, 'check'>;

export const ok = (message: string): Verdict => ({ status: 'ok', message, mend: null });
export const warn = (message: string, mend: string): Verdict => ({ status: 'warn', message, mend });
export const fail = (message: string, mend: string): Verdict => ({ status: 'fail', message, mend });

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Gantry brings its own Node; another one may lack what it uses. */
export const node = (): Verdict => {
  const [own, wanted] = [process.versions.node, packageJson.dependencies.node];
  if (own === wanted) return ok(`Node ${own}, which Gantry brings along`);
  const mend = 'run it as `npx gantry`, which uses the Node that Gantry brings along';
  const major = (version: string) => version.split('.')[0];
  return major(own) === major(wanted) ? ok(`Node ${own}`) : fail(`Node ${own} instead of ${wanted}`, mend);
};

/** The folder itself, or what is there of its path. */
const existing = (path: string): string => (existsSync(path) ? path : existing(dirname(path)));

const folder = async (path: string, setting: string): Promise<Verdict> => {
  const there = existing(path);
  try {
    await access(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return fail(
      `${path} cannot be written to (${there}: ${code})`,
      `give this user the right to write to ${there}, or choose another folder with ${setting}`,
    );
  }
  return ok(there === path ? `${path} can be written to` : `${path} will be made at the first start`);
};

export const dataFolder = ({ dataDir }: Config): Promise<Verdict> => folder(dataDir, '--data-dir');
export const imagesFolder = ({ imagesDir }: Config): Promise<Verdict> => folder(imagesDir, '--images-dir');

export const disk = async ({ s3Url, imagesDir, dataDir, minFreeBytes }: Config): Promise<Verdict> => {
  const path = existing(s3Url === undefined ? imagesDir : dataDir);
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const message = `${bytesText(free)} free at ${path}; uploads are refused below ${bytesText(minFreeBytes)}`;
  const mend =
    'free some space, choose a larger disk with --images-dir, or let old originals go (--keep-originals)';
  if (free < minFreeBytes) return fail(message, mend);
  return free < 2 * minFreeBytes ? warn(message, mend) : ok(message);
};

export const store = async (config: Config): Promise<Verdict> => {
  const { StoreError } = await import('../store/store.ts');
  const { databaseUrl } = config;
  const newer = 'start the newer Gantry, or restore the backup from before it (docs/operations.md)';
  try {
    if (databaseUrl === undefined) {
      const file = join(config.dataDir, 'gantry.db');
      if (!existsSync(file)) return ok(`SQLite in ${file}, which will be made at the first start`);
      const { pendingMigrations } = await import('../store/sqlite.ts');
      const pending = pendingMigrations(file);
      return ok(
        `SQLite in ${file}${pending.length > 0 ? `; ${counted(pending.length, 'migration')} to be made at the next start` : ''}`,
      );
    }
    const { openPostgresStore } = await import('../store/postgres.ts');
    const opened = await openPostgresStore({
      url: databaseUrl,
      username: config.databaseUsername,
      password: config.databasePassword,
      ca: config.databaseCa,
      poolSize: 2,
      statementTimeoutMs: config.databaseTimeout,
      migrate: false,
    });
    await opened.close();
    return ok("PostgreSQL answers, and has this version's schema");
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'newer-schema') return fail(error.message, newer);
    if (error.code === 'corrupt')
      return fail(error.message, 'restore a backup, or rebuild it from the originals: gantry reindex');
    if (error.code === 'failed' && /lacks migration/.test(error.message))
      return warn(error.message, 'nothing to do: a web server makes it when it starts');
    const mend =
      databaseUrl === undefined
        ? 'see that this user may read and write the file, and that nothing else holds it'
        : 'see that the database runs, and that GANTRY_DATABASE_URL, user and password are right: gantry config';
    return fail(error.message, mend);
  }
};

export const images = async (config: Config): Promise<Verdict> => {
  if (config.s3Url === undefined) return imagesFolder(config);
  const { openBlobsForUploads } = await import('./open-blobs.ts');
  try {
    await openBlobsForUploads(config);
    return ok('the S3 bucket can be written to');
  } catch (error) {
    return fail(
      reasonOf(error),
      'see that bucket, region and endpoint are right (gantry config), and that the AWS credentials may read, write, list and delete',
    );
  }
};

export const model = async (config: Config): Promise<Verdict> => {
  const { loadModel } = await import('../classifier/manifest.ts');
  const { openSession } = await import('../classifier/onnx.ts');
  try {
    const loaded = await loadModel(config.model);
    await openSession(loaded);
    return ok(`${loaded.name} ${loaded.version} loads; its file is the one that the manifest means`);
  } catch (error) {
    return fail(
      reasonOf(error),
      `mend the folder, or name another with --model: gantry model check ${config.model}`,
    );
  }
};

export const workers = async ({ workers: count }: Config): Promise<Verdict> => {
  const cores = availableParallelism();
  const { turboJpeg } = await import('../classifier/turbojpeg.ts');
  const decoder = turboJpeg ? 'libjpeg-turbo' : 'sharp, as libjpeg-turbo cannot be called here';
  const message = `${count} inference ${count === 1 ? 'process' : 'processes'} on ${counted(cores, 'core')}; JPEGs are decoded by ${decoder}`;
  return count > cores
    ? warn(message, `more than there are cores make it slower: --workers ${cores}`)
    : ok(message);
};

export const keys = async ({ apiKeysFile, host }: Config): Promise<Verdict> => {
  if (apiKeysFile === undefined) {
    if (['127.0.0.1', '::1', 'localhost'].includes(host)) return ok('none are needed, on this machine only');
    const mend = 'unless something in front of it checks who comes: gantry keys create, and --api-keys-file';
    return warn(`everybody who reaches ${host} may do everything`, mend);
  }
  const { readKeys } = await import('../access/key-file.ts');
  const { isExpired } = await import('../access/api-key.ts');
  try {
    const all = await readKeys(apiKeysFile);
    const valid = all.filter((key) => !isExpired(key));
    const expired = all.length > valid.length ? `, ${all.length - valid.length} expired` : '';
    const message = `${counted(valid.length, 'API key')} in ${apiKeysFile}${expired}`;
    return valid.length === 0
      ? fail(message, 'nobody gets in: gantry keys create --name me --scope admin')
      : ok(message);
  } catch (error) {
    return fail(reasonOf(error), 'mend the file, or make it anew: gantry keys create --help');
  }
};
