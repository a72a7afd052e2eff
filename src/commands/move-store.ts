import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createCommandLog } from '../observability/log.ts';
import { ConfigError, folder } from '../setting-kinds.ts';
import type { Counts } from '../store/move.ts';
import { takeDataFolder, writableFolder } from './data-folder.ts';
import { StartError } from './lifecycle.ts';
import { progress } from './progress.ts';

const describe = (counts: Counts): string => {
  const { images, results, thumbnails, outbox, events, idempotency_keys, uploads, leftBehind } = counts;
  const moved = `Moved: ${images} images, ${results} results, ${thumbnails} thumbnails, ${outbox} jobs in the outbox, ${events} events, ${idempotency_keys} idempotency keys, ${uploads} uploads in parts.`;
  const stays = 'The originals stay where they are.';
  const left = leftBehind === 0 ? '' : `Left behind: ${leftBehind} rows that belong to no image.\n`;
  return `${moved} ${stays}\n${left}`;
};

/** Holds the folder for this process, and returns its database. Throws {@link StartError}. */
const takeSource = async (from: string): Promise<string> => {
  const file = join(from, 'gantry.db');
  if (!existsSync(file)) throw new StartError(`there is no database ${file}; name its folder with --from`);
  writableFolder(from);
  try {
    await takeDataFolder(from);
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause;
    throw new StartError(`the data folder ${from} is in use; stop the server that runs on it first`, {
      cause,
    });
  }
  return file;
};

/**
 * `gantry move-store`: copies a stopped SQLite store into an empty PostgreSQL database. Throws {@link ConfigError} for
 * wrong usage, StartError, MoveError and StoreError for what stands in the way.
 */
export const moveStore = async (
  config: Config,
  { from, json }: { from: string | undefined; json: boolean },
): Promise<void> => {
  if (!from?.trim()) throw new ConfigError('gantry move-store needs --from, the data folder of the store');
  if (config.databaseUrl === undefined)
    throw new ConfigError(
      'gantry move-store needs a database to move to: set GANTRY_DATABASE_URL, such as postgres://host/database',
    );
  const target = {
    url: config.databaseUrl,
    username: config.databaseUsername,
    password: config.databasePassword,
    ca: config.databaseCa,
    poolSize: 1,
    statementTimeoutMs: config.databaseTimeout,
    log: createCommandLog(),
  };
  const file = await takeSource(folder.parse(from));
  const store = await import('../store/move.ts');
  const bar = progress('Moving');
  let counts: Counts;
  try {
    counts = await store.moveStore(file, target, bar.update);
  } finally {
    bar.end();
  }
  const { idempotency_keys: idempotencyKeys, upload_parts: uploadParts, ...others } = counts;
  process.stdout.write(
    json ? `${JSON.stringify({ ...others, idempotencyKeys, uploadParts })}\n` : describe(counts),
  );
};
