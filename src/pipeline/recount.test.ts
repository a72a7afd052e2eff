import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { pino } from 'pino';
import { eventually } from '../broker/broker.probe.ts';
import { accepted } from '../store/contract/samples.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { startRecount } from './recount.ts';

test('wrong counts are put right at once, and the flow is merged again and again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-recount-'));
  const file = join(folder, 'gantry.db');
  const store = await openSqliteStore(file);
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  await accepted(store);
  const other = new DatabaseSync(file);
  other.exec(`update counts set n = 7 where kind = 'state'`);
  other.close();
  const recount = startRecount({
    ...{ store, log: pino({ level: 'silent' }), intervalMs: 5 },
    ...{ keepFlowMs: -60_000, shared: true },
  });
  const summary = () => store.summary('2020-01-01T00:00:00Z');
  await eventually('the right number', async () => (await summary()).states.queued === 1);
  await eventually('no flow', async () => (await summary()).flow.length === 0);
  await accepted(store);
  await eventually('no flow again', async () => (await summary()).flow.length === 0);
  await recount.stop();
  assert.equal((await summary()).states.queued, 2);
});

test('a count that fails, such as one that takes too long, is not tried again at once', async () => {
  let counted = 0;
  let merged = 0;
  const recount = startRecount({
    store: {
      mergeCounts: async () => {
        merged += 1;
      },
      recount: async () => {
        counted += 1;
        throw new Error('too long');
      },
    },
    log: pino({ level: 'silent' }),
    ...{ intervalMs: 1, keepFlowMs: 1, shared: true },
  });
  await eventually('some runs', async () => merged > 3);
  await recount.stop();
  assert.equal(counted, 1);
});
