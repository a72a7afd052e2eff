import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartBody } from './part-body.ts';
import { Problem } from './problem.ts';
import { uploadWriters } from './upload-writers.ts';

test('after all were stopped, nobody begins to write', async () => {
  const writers = uploadWriters();
  const stopping = new Problem(503, 'stopping', 'the server is stopping');
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const body: PartBody = { source: (async function* () {})(), stop, drain: () => undefined };
  const under = writers.during('a', body, () => stopped);
  await Promise.all([assert.rejects(under, stopping), writers.stopAll(stopping)]);
  let begun = false;
  const late = writers.during('a', body, async () => {
    begun = true;
  });
  await assert.rejects(late, stopping);
  assert.equal(begun, false);
});
