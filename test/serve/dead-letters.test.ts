import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ended, type ImageJson, json, type UploadJson, upload } from '../acceptance/target.ts';
import { plainPicture as picture, poisonModel } from '../poison.ts';
import { startGantry } from '../start-gantry.ts';
import { gantry } from './run-gantry.ts';

/** A server with as many dead images as asked for, and one that succeeded. */
const withDeadLetters = async (t: TestContext, count: number) => {
  const env = { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1', GANTRY_MAX_ATTEMPTS: '1' };
  const server = await startGantry({ env });
  t.after(() => server.stop());
  const white = (n: number) => picture(`throws-${n}.png`, '#ffffff');
  const files = await Promise.all([
    picture('red.png', '#ff0000'),
    ...Array.from({ length: count }, (_, n) => white(n)),
  ]);
  const { images } = await json<UploadJson>(await upload(server.url, files));
  for (const { id } of images) await ended(server.url, id);
  const [sound = '', ...dead] = images.map(({ id }) => id);
  const run = (...args: string[]) => gantry(['dead-letters', ...args], { GANTRY_URL: server.url });
  return { server, sound, dead, run };
};
const lines = (text: string): string[] => text.trimEnd().split('\n');

test('dead letters on the command line: list, show, replay one', async (t) => {
  const { server, sound, dead, run } = await withDeadLetters(t, 2);
  const table = await run('list');
  assert.equal(table.code, 0, table.err);
  const [head = '', ...rows] = lines(table.out);
  assert.match(head, /^ID +FILE +WHY +ATTEMPTS +DEAD SINCE +LAST ERROR$/);
  for (const id of dead) {
    const row = rows.find((line) => line.startsWith(id)) ?? assert.fail(`${id} is not listed`);
    assert.match(row, / throws-\d\.png +inference-failed +1 +\S+ \S+ UTC +\S/);
  }
  assert.equal(table.out.includes(sound), false);
  const parsed = lines((await run('list', '--json')).out).map((line) => JSON.parse(line) as ImageJson);
  assert.deepEqual(parsed.map(({ id }) => id).sort(), [...dead].sort());

  const [first = ''] = dead;
  const shown = await run('show', first);
  assert.match(shown.out, /why +inference-failed/);
  assert.match(shown.out, /^file +throws-\d\.png \(image\/png, [\d.]+ k?B\)$/m);
  assert.match(shown.out, /^dead since +\d{4}-\d\d-\d\d \S+ UTC$/m);
  assert.match(shown.out, /attempts +1 in generation 1/);

  const replayed = await run('replay', first);
  assert.deepEqual([replayed.code, replayed.out], [0, `${first} queued again, generation 2\n`]);
  assert.equal((await ended(server.url, first, 2)).state, 'dead');
});

test('replay --all gives every dead image a new generation', async (t) => {
  const { server, dead, run } = await withDeadLetters(t, 3);
  const { out, code } = await run('replay', '--all', '--json');
  assert.deepEqual([JSON.parse(out), code], [{ replayed: 3 }, 0]);
  for (const id of dead) assert.equal((await ended(server.url, id, 2)).generation, 2);
});

test('discard deletes dead images and no others', async (t) => {
  const { server, sound, dead, run } = await withDeadLetters(t, 3);
  const [first = '', ...rest] = dead;
  const mixed = await run('discard', sound, first);
  assert.equal(mixed.code, 1);
  assert.match(mixed.err, /is succeeded, not dead/);
  assert.equal(mixed.out, `${first} discarded\n`);
  assert.equal((await fetch(`${server.url}/images/${first}`)).status, 404);
  assert.equal((await fetch(`${server.url}/images/${sound}`)).status, 200);
  const asked = await run('discard', '--all');
  assert.match(asked.err, /This deletes 2 dead images with originals\. Say --yes/);
  assert.equal(asked.code, 1);
  const all = await run('discard', '--all', '--yes');
  assert.deepEqual(lines(all.out).sort(), rest.map((id) => `${id} discarded`).sort());
  assert.equal((await run('list')).out, 'No dead letters.\n');
});

test('what makes no sense is one clear line', async (t) => {
  const { run } = await withDeadLetters(t, 0);
  for (const [args, message, code] of [
    [['replay'], /name the IDs, or say --all/, 2],
    [['discard', 'x', '--all'], /make no sense/, 2],
    [['show', '019b0000-0000-7000-8000-000000000000'], /there is no image/, 1],
    [['list', '--url', 'http://127.0.0.1:9'], /cannot reach http:\/\/127\.0\.0\.1:9/, 1],
    [['list', '--url', 'nonsense'], /cannot reach nonsense/, 1],
  ] as const) {
    const outcome = await run(...args);
    assert.equal(outcome.code, code, args.join(' '));
    assert.match(outcome.err, message);
    assert.equal(lines(outcome.err).length, 1, outcome.err);
  }
});
