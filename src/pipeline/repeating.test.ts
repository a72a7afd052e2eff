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

test('all that wake a task in one turn of the event loop cost one run', async () => {
  let runs = 0;
  const task = repeating('woken', 86_400_000, pino({ level: 'silent' }), async () => {
    runs += 1;
    return false;
  });
  for (let n = 0; n < 8; n++) {
    task.wake();
    await Promise.resolve();
  }
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
  await task.stop();
  assert.equal(runs, 1);
});
