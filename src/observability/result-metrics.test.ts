import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { Outcome } from '../pipeline/message.ts';
import { resultMetrics } from './result-metrics.ts';

const succeeded = (label: string) => ({ kind: 'succeeded', result: { label, confidence: 0.9 } }) as Outcome;
const names = (count: number, prefix = 'class'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

const counted = (labels: readonly string[], results: readonly string[]) => {
  const registry = new Registry();
  const metrics = resultMetrics(registry);
  metrics.expectLabels(labels);
  for (const label of results) metrics.ended(succeeded(label));
  return async (): Promise<Record<string, number>> => {
    const text = await registry.getSingleMetricAsString('gantry_outcomes_total');
    const found = text.matchAll(/\{state="succeeded",label="(.*)"\} (\d+)/g);
    return Object.fromEntries([...found].map(([, label, count]) => [label, Number(count)]));
  };
};

test('the labels of a model begin at 0', async () => {
  assert.deepEqual(await counted(['cat', 'dog'], ['cat'])(), { cat: 1, dog: 0 });
});

test('a model of a thousand classes is one series', async () => {
  assert.deepEqual(await counted(names(1000), names(1000))(), { '(more)': 1000 });
});

test('labels of other models get series too, but not without end', async () => {
  const found = await counted(['cat', 'dog'], [...names(1000, 'new'), 'dog', 'new 0'])();
  assert.equal(Object.keys(found).length, 51);
  assert.deepEqual([found.dog, found['new 0'], found['(more)']], [1, 2, 952]);
});
