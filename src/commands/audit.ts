import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createCommandLog } from '../observability/log.ts';
import { type Audit, audit as compare, type Repair, repair } from '../pipeline/audit.ts';
import { StartError } from './lifecycle.ts';
import { openBlobs } from './open-blobs.ts';
import { openRabbitmq } from './open-broker.ts';
import { openDatabase } from './open-store.ts';
import { progress } from './progress.ts';
import { table } from './table.ts';

/** IDs named in the table; JSON has them all. */
const shown = 10;

const some = (ids: readonly string[]): string =>
  ids.slice(0, shown).join(' ') +
  (ids.length > shown ? ` and ${ids.length - shown} more (--json has all)` : '');

const describe = (found: Audit): string => {
  const { states, queues, missingOriginals, orphanedOriginals, orphanedParts } = found;
  const inQueues = queues === null ? undefined : Object.values(queues).reduce((sum, n) => sum + n, 0);
  const rows: [string, number | string, string][] = [
    ['accepted', found.accepted, 'images, less those that were deleted'],
    ['succeeded', states.succeeded, ''],
    ['failed', states.failed, 'the picture itself cannot be used'],
    ['dead', states.dead, states.dead > 0 ? 'gantry dead-letters list' : ''],
    ['in flight', states.queued + states.processing, ''],
    ['  in the outbox', found.outbox, ''],
    ...(inQueues === undefined ? [] : ([['  in the queues', inQueues, '']] as [string, number, string][])),
    [
      '  unaccounted',
      queues === null ? '?' : found.unaccounted,
      queues === null ? 'not checked: the queue is in another process' : '',
    ],
    ['surplus messages', found.surplusMessages, 'repeats, or of deleted images; harmless'],
    ['missing originals', missingOriginals.length, some(missingOriginals.map(({ id }) => id))],
    ['orphaned originals', orphanedOriginals.length, some(orphanedOriginals)],
    ['orphaned parts', orphanedParts.length, some(orphanedParts)],
    ['stray rows', found.strayRows, ''],
    ['miscounted', found.miscounted, 'numbers of the summary, no loss; --repair counts anew'],
  ];
  const body = table(
    ['', 'COUNT', ''],
    rows.map(([name, count, note]) => [name, String(count), note]),
  );
  return `${body}\n${found.ok ? 'Nothing is lost.' : 'Something is lost or hangs in the air.'}\n`;
};

const describeRepair = ({
  requeued,
  recounted,
  orphansRemoved,
  partsRemoved,
  originalsWrittenOff,
  left,
}: Repair): string =>
  [
    `Queued again: ${requeued}. Orphaned originals removed: ${orphansRemoved}, parts: ${partsRemoved}. Originals written off: ${originalsWrittenOff}.`,
    ...(recounted ? ['The summary counts anew.'] : []),
    ...left.map((line) => `Left alone: ${line}`),
    '',
  ].join('\n');

/** `gantry audit`: exit code 1 if anything is lost, also if `--repair` has mended it. */
export const audit = async (config: Config, options: { json: boolean; repair: boolean }): Promise<void> => {
  const file = join(config.dataDir, 'gantry.db');
  if (config.databaseUrl === undefined && !existsSync(file)) {
    throw new StartError(`there is no database ${file}; name its folder with --data-dir`);
  }
  const log = createCommandLog();
  const store = await openDatabase(config, log);
  const broker = config.amqpUrl === undefined ? undefined : openRabbitmq(config, log, 'audit', false);
  const bar = progress('Comparing');
  try {
    const context = {
      store,
      blobs: await openBlobs(config),
      broker,
      overdueAfterMs: config.overdueAfter,
      onProgress: (done: number) => bar.update(done),
    };
    const found = await compare(context);
    bar.end();
    const mended = options.repair ? await repair(context, found) : undefined;
    process.stdout.write(
      options.json
        ? `${JSON.stringify(mended === undefined ? found : { ...found, repair: mended }, null, 2)}\n`
        : describe(found) + (mended === undefined ? '' : describeRepair(mended)),
    );
    if (!found.ok) process.exitCode = 1;
  } finally {
    bar.end();
    await broker?.close();
    await store.close();
  }
};
