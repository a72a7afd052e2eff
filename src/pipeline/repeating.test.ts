import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { openSqliteStore } from '../store/sqlite.ts';
import { repeating } from './repeating.ts';

test('a task with much to do lets others have their turn in between, also where its store answers at once', async () => {
  const store = await openSqliteStore(':memory:');
  let runs = 0;
  let turns = 0;
  const { promise: done, resolve } = Promise.withResolvers<void>();
  setImmediate(function next() {
    turns += 1;
    if (runs < 20) setImmediate(next);
  });
  const task = repeating('much', 86_400_000, pino({ level: 'silent' }), async () => {
    await store.openUploads();
    runs += 1;
    if (runs === 20) resolve();
    return runs < 20;
  });
  task.wake();
  await done;
  await task.stop();
  await store.close();
  assert.ok(turns >= 18, `${turns} turns between ${runs} runs`);
});
