import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readsOf } from '../../scripts/monitoring/promql.ts';

test('metrics, their labels, and what is grouped by are read from an expression', () => {
  const expression =
    'sum by (le) (rate(a_bucket{x="1", y=~"2|3"}[5m])) / on (le) group_left (z) max_over_time(b[1h:1m] offset 1d) unless absent({c="d"})';
  assert.deepEqual(readsOf(expression), {
    selectors: [
      { name: 'a_bucket', labels: ['x', 'y'] },
      { name: 'b', labels: [] },
      { name: '', labels: ['c'] },
    ],
    grouping: ['le', 'le', 'z'],
  });
});

test('what is no PromQL is refused', () => {
  for (const wrong of ['sum(', 'a{b=}', 'rate(a[5])) + 1', 'a b'])
    assert.throws(() => readsOf(wrong), SyntaxError);
});
