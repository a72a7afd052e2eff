import { loadModel } from '../classifier/manifest.ts';
import type { Config } from '../config.ts';
import { createCommandLog } from '../observability/log.ts';
import { reindex as rebuild } from '../pipeline/reindex.ts';
import { writableFolder } from './data-folder.ts';
import { openBlobs } from './open-blobs.ts';
import { openDatabase } from './open-store.ts';
import { progress } from './progress.ts';

/** `gantry reindex`: rebuilds the store from the originals after a lost database. */
export const reindex = async (config: Config, options: { json: boolean }): Promise<void> => {
  const { name: pipeline } = await loadModel(config.model);
  if (config.databaseUrl === undefined) writableFolder(config.dataDir);
  const store = await openDatabase(config, createCommandLog());
  const bar = progress('Restoring');
  try {
    const outcome = await rebuild({
      store,
      blobs: await openBlobs(config),
      pipeline,
      onProgress: bar.update,
    });
    bar.end();
    const { restored, known, skipped } = outcome;
    process.stdout.write(
      options.json
        ? `${JSON.stringify(outcome)}\n`
        : `Restored: ${restored}, queued; a running web server publishes them. Known already: ${known}. Skipped: ${skipped.length}.\n` +
            skipped.map((key) => `  ${key} is no image of ours\n`).join(''),
    );
  } finally {
    bar.end();
    await store.close();
  }
};
