import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepted, ended, fixture, json, upload } from '../acceptance/target.ts';
import { startGantry } from '../start-gantry.ts';

interface ProblemJson {
  readonly code: string;
  readonly detail: string;
}

test('retention: the original goes, the image and its thumbnail stay, and nothing is processed again', async (t) => {
  const server = await startGantry({
    env: { GANTRY_WORKERS: '1', GANTRY_KEEP_ORIGINALS: '1s', GANTRY_SWEEP_INTERVAL: '100ms' },
  });
  t.after(() => server.stop());
  const id = await accepted(server.url, 'cats/chelsea.png');
  await ended(server.url, id);
  const original = () => fetch(`${server.url}/images/${id}/original`);
  let gone = await original();
  while (gone.status === 200) {
    await gone.bytes();
    await sleep(50);
    gone = await original();
  }
  assert.equal(gone.status, 410);
  assert.equal((await json<ProblemJson>(gone)).code, 'original-removed');
  assert.equal((await fetch(`${server.url}/images/${id}/thumbnail`)).status, 200);
  const again = await fetch(`${server.url}/images/${id}/reprocess`, { method: 'POST' });
  assert.equal(again.status, 409);
  assert.equal((await json<ProblemJson>(again)).code, 'original-removed');
  assert.equal((await fetch(`${server.url}/images/${id}`, { method: 'DELETE' })).status, 204);
});

test('a quota of stored bytes: 507 once it is reached', async (t) => {
  const server = await startGantry({ env: { GANTRY_WORKERS: '1', GANTRY_MAX_STORED_BYTES: '100KB' } });
  t.after(() => server.stop());
  // 240 KB: the limit is passed by the first, and found by the second.
  await accepted(server.url, 'cats/chelsea.png');
  const bytes = await fixture('cats/chelsea.png');
  const refused = await upload(server.url, [{ name: 'second.png', bytes }]);
  assert.equal(refused.status, 507);
  const problem = await json<ProblemJson>(refused);
  assert.equal(problem.code, 'quota-full');
  assert.match(problem.detail, /240512 bytes of originals are stored, the limit is 100000/);
});
