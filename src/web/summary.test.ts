import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, failed, idAt, succeeded, at as timeAt } from '../store/contract/samples.ts';
import type { Flow } from '../store/store.ts';
import { throughputOf } from './summary.ts';
import { openWeb } from './web.testing.ts';

const now = Date.parse('2026-11-25T12:00:07.300Z');
/** The flow of seconds so long before that. */
const flowed = (seconds: readonly [ago: number, accepted: number, finished: number][]): Flow[] =>
  seconds.map(([ago, accepted, finished]) => ({
    at: new Date(Math.floor(now / 1000) * 1000 - ago * 1000).toISOString(),
    ...{ accepted, finished },
  }));

test('thirty steps of ten seconds, gaps as zeros; the last one is not over', () => {
  const flow = flowed([
    [298, 100, 100],
    [297, 1, 0],
    [20, 2, 1],
    [18, 4, 2],
    [8, 8, 0],
    [0, 16, 4],
    // Of a server whose clock is ahead.
    [-5, 32, 8],
  ]);
  const { series, stepSeconds } = throughputOf(flow, now);
  assert.deepEqual([series.length, stepSeconds], [30, 10]);
  assert.deepEqual(series[0], { at: '2026-11-25T11:55:10.000Z', accepted: 1, finished: 0 });
  assert.deepEqual(series[1], { at: '2026-11-25T11:55:20.000Z', accepted: 0, finished: 0 });
  assert.deepEqual(series.slice(-3), [
    { at: '2026-11-25T11:59:40.000Z', accepted: 6, finished: 3 },
    { at: '2026-11-25T11:59:50.000Z', accepted: 8, finished: 0 },
    { at: '2026-11-25T12:00:00.000Z', accepted: 48, finished: 12 },
  ]);
});

test('images a second are those of the last minute', () => {
  const flow = flowed([
    [61, 0, 1000],
    [59, 0, 30],
    [1, 0, 90],
  ]);
  assert.equal(throughputOf(flow, now).perSecond, 2);
});

test('what is stored is told, to all who ask at once by one look', async (t) => {
  const { app, store } = await openWeb(t);
  const jobs = [];
  for (let n = 0; n < 4; n++) jobs.push(await accepted(store, { id: idAt(n) }));
  const [, a, b, c] = jobs;
  assert.ok(a && b && c);
  await store.record([succeeded(a, 'dog'), succeeded(b, 'cat'), failed(c)]);
  const answers = await Promise.all([1, 2, 3].map(() => app.inject({ url: '/summary' })));
  const [found] = answers.map((answer) => answer.json());
  assert.deepEqual(
    answers.map((answer) => answer.json()),
    [found, found, found],
  );
  assert.deepEqual(found.states, { queued: 1, processing: 0, succeeded: 2, failed: 1, dead: 0 });
  assert.deepEqual([found.total, found.labels], [4, { cat: 1, dog: 1 }]);
  assert.equal(found.oldestUnfinishedAt, timeAt(0));
  assert.equal(found.throughput.perSecond, 3 / 60);
});
