import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { allCharts } from '../../scripts/charts/charts.ts';
import { chartsWithReadme, readmeOf } from '../../scripts/charts/readme.ts';
import { valueRows, withoutMeaning } from '../../scripts/charts/values-table.ts';

test('the README of each chart is what its values say (npm run docs)', () => {
  const charts = chartsWithReadme();
  assert.deepEqual(
    charts.map(({ name }) => name),
    ['consumer-chart', 'gantry', 'monitoring-chart', 'rabbitmq-chart', 'web-server-chart'],
  );
  for (const chart of charts) {
    assert.equal(readFileSync(join(chart.folder, 'README.md'), 'utf8'), readmeOf(chart), chart.name);
  }
});

test('every value of every chart has a meaning', () => {
  for (const { name, folder, type } of allCharts()) {
    if (type === 'library') continue;
    assert.deepEqual(withoutMeaning(readFileSync(join(folder, 'values.yaml'), 'utf8')), [], name);
  }
});

const sample = `# -- Name of it
name: a
# About what follows.
group:
  # -- First | of two
  one: 1
  deep:
    # -- Any map
    map: {a: [b]}
  # -- Which one
  # mentioned: example
  plain: x
# -- The whole group
other:
  inner: true
`;

test('values are read from the comments of values.yaml', () => {
  assert.deepEqual(valueRows(sample), [
    { path: 'name', default: '"a"', meaning: 'Name of it' },
    { path: 'group.one', default: '1', meaning: 'First | of two' },
    { path: 'group.deep.map', default: '{"a":["b"]}', meaning: 'Any map' },
    { path: 'group.mentioned', default: undefined, meaning: 'Which one' },
    { path: 'other', default: '{"inner":true}', meaning: 'The whole group' },
  ]);
  assert.deepEqual(withoutMeaning(sample), ['group.plain']);
});
