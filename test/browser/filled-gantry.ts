import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fill, sqliteDialect } from '../../bench/million-rows.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { openDatabase } from '../../src/store/sqlite-database.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';

/**
 * Starts a server with so many images whose processing has ended; they have results and neither originals nor
 * thumbnails. `stop` ends it and removes them.
 */
export const startFilledGantry = async (count: number): Promise<Gantry> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-many-'));
  const file = join(dataDir, 'gantry.db');
  await (await openSqliteStore(file)).close();
  const database = openDatabase(file, 5_000);
  for (const statement of fill(sqliteDialect, count)) database.native.exec(statement);
  // There are no originals: nothing is to be worked on.
  database.native.exec('delete from outbox');
  database.native.exec(`update images set state = 'failed', error_code = 'undecodable', error_message = 'broken'
    where state in ('queued', 'processing')`);
  database.close();
  const gantry = await startGantry({ dataDir });
  return {
    ...gantry,
    async stop() {
      const code = await gantry.stop();
      await rm(dataDir, { recursive: true, force: true });
      return code;
    },
  };
};
