import assert from 'node:assert/strict';
import { test } from 'node:test';
import { best } from './decision.ts';

test('the best are the best in order; of equal ones the first; all there are if they are fewer', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const labels = (values: readonly number[], count: number) =>
    best(values, names, count).map(({ label }) => label);
  assert.deepEqual(labels([0.1, 0.4, 0.2, 0.4, 0.3], 3), ['b', 'd', 'e']);
  assert.deepEqual(labels([1, 2, 3, 4, 5], 2), ['e', 'd']);
  assert.deepEqual(labels([5, 4, 3, 2, 1], 1), ['a']);
  assert.deepEqual(best([0.5, 0.5], ['x'], 9), [
    { label: 'x', score: 0.5 },
    { label: '1', score: 0.5 },
  ]);
});
