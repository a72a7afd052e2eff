import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped } from './grouped.ts';

test('items that come together go in one call, answers in order', async () => {
  const calls: number[][] = [];
  const double = grouped(async (items: number[]) => {
    calls.push(items);
    return items.map((item) => item * 2);
  });
  assert.deepEqual(await Promise.all([1, 2, 3].map(double)), [2, 4, 6]);
  assert.deepEqual(calls, [[1, 2, 3]]);
});

test('what comes during a call goes into the next, at most `max` at once', async () => {
  const calls: number[][] = [];
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const slow = grouped(async (items: number[]) => {
    calls.push(items);
    begun.resolve();
    await gate.promise;
    return items;
  }, 2);
  const first = slow(1);
  await begun.promise;
  const rest = [2, 3, 4].map(slow);
  gate.resolve();
  await Promise.all([first, ...rest]);
  assert.deepEqual(calls, [[1], [2, 3], [4]]);
});

test('one bad item fails alone', async () => {
  const picky = grouped(async (items: number[]) => {
    if (items.includes(2)) throw new Error('no twos');
    return items;
  });
  const outcomes = await Promise.allSettled([1, 2, 3].map(picky));
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});
