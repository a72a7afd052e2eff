import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accepted,
  dead,
  failed,
  future,
  idAt,
  processing,
  succeeded,
  at as timeAt,
} from '../store/contract/samples.ts';
import { type Timeline, timelineOf } from './timeline.ts';
import { openWeb } from './web.testing.ts';

const open = async (t: Parameters<typeof openWeb>[0]) => {
  const { app, store } = await openWeb(t);
  const timeline = async (id: string): Promise<Timeline> => {
    const answer = await app.inject({ url: `/images/${id}/timeline` });
    assert.equal(answer.statusCode, 200, answer.body);
    return answer.json();
  };
  return { app, store, timeline };
};

const short = ({ entries }: Timeline) =>
  entries.map(({ kind, generation, attempt }) => `${kind} ${generation} ${attempt}`);

test('an image from its upload to its second life', async (t) => {
  const { store, timeline } = await open(t);
  const job = await accepted(store, { id: idAt(0) });
  await store.published([job]);
  await store.started([processing(job)]);
  await store.started([processing(job, 3)]);
  await store.record([dead(job)]);
  await store.reprocess(job.id, 60_000);
  const again = { ...job, generation: 2 };
  await store.started([processing(again)]);
  await store.record([succeeded(again, 'cat')]);
  const found = await timeline(job.id);
  assert.equal(found.truncated, false);
  assert.deepEqual(short(found), [
    'accepted 1 null',
    'queued 1 null',
    'processing 1 1',
    'processing 1 3',
    'dead 1 5',
    'reprocessed 2 null',
    'processing 2 1',
    'succeeded 2 1',
  ]);
  const [first, second, , , end] = found.entries;
  assert.deepEqual([first?.at, first?.sinceMs], [timeAt(0), 0]);
  assert.equal(second?.sinceMs, Date.parse(second?.at ?? '') - Date.parse(timeAt(0)));
  assert.equal(end?.detail, 'took too long');
  assert.deepEqual(found.entries.at(-1)?.timings, (await store.image(job.id))?.result?.timings);
  assert.ok(found.entries.every(({ sinceMs }) => sinceMs >= 0));
});

test('what retention has dropped is said to be missing; beginning and present state stay', async (t) => {
  const { store, timeline } = await open(t);
  const job = await accepted(store, { id: idAt(0) });
  await store.started([processing(job)]);
  await store.expire(future(), 1);
  await store.record([failed(job)]);
  const some = await timeline(job.id);
  assert.deepEqual(short(some), ['accepted 1 null', 'processing 1 1', 'failed 1 1']);
  assert.equal(some.truncated, true);
  await store.expire(future(), 10);
  const none = await timeline(job.id);
  assert.deepEqual(short(none), ['accepted 1 null', 'failed 1 1']);
  assert.deepEqual([none.truncated, none.entries[1]?.at], [true, (await store.image(job.id))?.updatedAt]);
});

test('of a very long history the newest part is told, and others have their turn meanwhile', async (t) => {
  const { store } = await open(t);
  const job = await accepted(store);
  for (let attempt = 1; attempt <= 1_003; attempt++) await store.started([processing(job, attempt)]);
  const image = (await store.image(job.id)) ?? assert.fail();
  let turns = 0;
  setImmediate(() => {
    turns += 1;
  });
  const found = await timelineOf(store, image);
  assert.equal(turns, 1, 'between two pages, also where the store answers at once');
  assert.deepEqual([found.truncated, found.entries.length], [true, 1_001]);
  assert.deepEqual([found.entries[1]?.attempt, found.entries.at(-1)?.attempt], [4, 1_003]);
});

test('an image that is not there has none', async (t) => {
  const { app, store } = await open(t);
  const { id } = await accepted(store);
  await store.remove(id);
  assert.equal((await app.inject({ url: `/images/${id}/timeline` })).statusCode, 404);
  assert.equal((await app.inject({ url: '/images/x/timeline' })).statusCode, 400);
});
