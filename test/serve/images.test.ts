import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ended, type ImageJson, json, type UploadJson, upload } from '../acceptance/target.ts';
import { plainPicture, poisonModel } from '../poison.ts';
import { type GantryOptions, startGantry } from '../start-gantry.ts';
import { gantry, gantryOnTerminal, startCommand } from './run-gantry.ts';

const lines = (text: string): string[] => text.trimEnd().split('\n');
const quick = { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1', GANTRY_MAX_ATTEMPTS: '1' };

/** A server with a dog, a cat and a dead image, and their IDs in this order. */
const withImages = async (t: TestContext, options: GantryOptions = {}) => {
  const server = await startGantry({ env: quick, ...options });
  t.after(() => server.stop());
  const files = await Promise.all([
    plainPicture('a dog.png', '#ff0000'),
    plainPicture('a cat\u001b[2J.png', '#00ff00'),
    plainPicture('dead.png', '#ffffff'),
  ]);
  const ids: string[] = [];
  for (const file of files) {
    const { correlationId } = await json<UploadJson>(await upload(server.url, [file]));
    await ended(server.url, correlationId);
    ids.push(correlationId);
  }
  const env = { GANTRY_URL: server.url };
  const run = (...args: string[]) => gantry(args, env);
  return { server, env, ids, run };
};

test('images list: filters, limits, JSON, and nothing that moves the cursor', async (t) => {
  const { server, ids, run } = await withImages(t);
  const [dog = '', cat = '', dead = ''] = ids;
  const all = await run('images', 'list');
  const [head = '', ...rows] = lines(all.out);
  assert.match(head, /^ID +UPLOADED +STATE +FILE +RESULT$/);
  assert.deepEqual(
    rows.map((row) => row.slice(0, 36)),
    [dead, cat, dog],
  );
  assert.match(rows[2] ?? '', / UTC +succeeded +a dog\.png +dog \d+\.\d %$/);
  assert.match(rows[0] ?? '', / dead +dead\.png +.*\(inference-failed\)$/);
  assert.equal(all.out.includes('\u001b'), false);
  const found = async (...args: string[]) =>
    lines((await run('images', 'list', '--json', ...args)).out)
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as ImageJson).id);
  const sha256 = (await json<ImageJson>(await fetch(`${server.url}/images/${dog}`))).sha256;
  assert.deepEqual(await found('--state', 'dead'), [dead]);
  assert.deepEqual(await found('--label', 'cat'), [cat]);
  assert.deepEqual(await found('--text', 'DOG'), [dog]);
  assert.deepEqual(await found('--sha256', sha256.toUpperCase()), [dog]);
  assert.deepEqual(await found('--from', '1h', '--until', '2100-01-01'), [dead, cat, dog]);
  assert.deepEqual(await found('--until', '1h'), []);
  assert.deepEqual(await found('--all'), [dead, cat, dog]);
  const first = await run('images', 'list', '--limit', '1');
  assert.deepEqual([lines(first.out).length, first.code], [2, 0]);
  assert.match(first.err, /^There are more/);
  const cut = await run('images', 'list', '--limit', '1', '--json');
  assert.deepEqual([lines(cut.out).length, cut.code], [1, 0]);
  assert.match(cut.err, /^There are more/);
  for (const [args, line] of [
    [['--state', 'faild'], /Allowed choices are queued, processing, succeeded, failed, dead/],
    [['--from', 'yesterday'], /--from takes a time such as .*, not "yesterday"/],
    [['--limit', '0'], /--limit takes a whole number/],
    [['--sha256', 'abc'], /--sha256 takes 64 hex digits, not "abc"/],
  ] as const) {
    const { err, code } = await run('images', 'list', ...args);
    assert.match(err, line);
    assert.equal(code, 2);
  }
});

test('images show, reprocess, delete', async (t) => {
  const { server, env, ids, run } = await withImages(t);
  const [dog = '', cat = '', dead = ''] = ids;
  const shown = await run('images', 'show', dog);
  assert.match(shown.out, /^file +a dog\.png \(image\/png, \d+ B, 16 x 16\)$/m);
  assert.match(shown.out, /^label +dog \d+\.\d %$/m);
  assert.match(shown.out, /^WHEN +AFTER +WHAT .*\n.* UTC +0 ms +accepted .*\n(?:.*\n)*.* succeeded +1 +1$/m);
  const gone = await run('images', 'show', '019b0000-0000-7000-8000-000000000000');
  assert.match(gone.err, /^gantry: there is no image 019b\S+\n$/);
  assert.equal(gone.code, 1);
  assert.match(
    (await run('images', 'show', dead)).err,
    /^gantry dead-letters replay .* gives it all its attempts/,
  );

  const again = await run('images', 'reprocess', '--label', 'cat', '--all');
  assert.deepEqual([again.code, again.out], [0, `${cat} queued again, generation 2\n`]);
  assert.equal((await ended(server.url, cat, 2)).generation, 2);

  const asked = await run('images', 'delete', '--all');
  assert.match(asked.err, /This deletes 3 images with originals and results\. Say --yes/);
  assert.equal(asked.code, 1);
  const both = await run('images', 'delete', dog, '--label', 'cat');
  assert.match(both.err, /filters go with --all, not with IDs/);
  const some = await run('images', 'delete', dog, '019b0000-0000-7000-8000-000000000000');
  assert.deepEqual([some.code, some.out], [1, `${dog} deleted\n`]);
  const rest = await run('images', 'delete', '--all', '--yes', '--json');
  assert.deepEqual(
    lines(rest.out)
      .map((line) => JSON.parse(line).id)
      .sort(),
    [cat, dead].sort(),
  );
  assert.match((await run('images', 'list')).out, /^No images yet\. gantry upload sends some\.\n$/);
  const none = await gantryOnTerminal(['images', 'delete', '--all'], env);
  assert.match(none.out, /No such images/);
});

test('the beginning of an ID is enough, and a narrow terminal shows that much of it', async (t) => {
  const { server, env, ids, run } = await withImages(t);
  const [dog = '', , dead = ''] = ids;
  const shown = await run('images', 'show', dog.slice(0, 18).toUpperCase(), '--json');
  assert.equal(JSON.parse(shown.out).id, dog);
  const common = dog.slice(0, 8);
  // All three come within the minute that eight digits stand for, unless it has just gone by.
  const alike = ids.filter((id) => id.startsWith(common)).length > 1;
  const vague = await run('images', 'delete', dead, common);
  if (alike) assert.match(vague.err, new RegExp(`^gantry: more than one ID begins with ${common}: `));
  assert.equal(vague.code, alike ? 1 : 0);
  for (const [text, line] of [
    ['019b0000-0000', /^gantry: there is no image whose ID begins with 019b0000-0000$/m],
    ['ffffffff', /^gantry: there is no image whose ID begins with ffffffff$/m],
    ['019b', /^gantry: "019b" is no ID, /m],
    ['cat.png', /^gantry: "cat\.png" is no ID, /m],
    [`${dog}0`, /is no ID, /],
  ] as const) {
    const { err, code } = await run('images', 'show', text);
    assert.match(err, line);
    assert.equal(code, String(line).includes('is no ID') ? 2 : 1);
  }
  const replayed = await run('dead-letters', 'replay', dead.slice(0, 18));
  assert.equal(replayed.out, `${dead} queued again, generation 2\n`);
  await ended(server.url, dead, 2);

  const narrow = await gantryOnTerminal(['images', 'list'], { ...env, NO_COLOR: '1' }, 90);
  const row = lines(narrow.out).find((line) => line.includes('a dog.png')) ?? '';
  assert.ok(row.startsWith(`${dog.slice(0, 18)}  2`), narrow.out);
  assert.match(row, /a dog\.png +dog \d/);
});

test('model list: what the server runs', async (t) => {
  const { run } = await withImages(t);
  const { out, code } = await run('model', 'list');
  assert.match(out, /^NAME +VERSION +LABELS.*\npoison +1\.0\.0 +dog,cat,other /);
  assert.equal(code, 0);
  assert.equal(JSON.parse((await run('model', 'list', '--json')).out).name, 'poison');
});

test('watch: a line a change, also of what happened while the server was away', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-watch-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const first = await startGantry({ env: quick, dataDir });
  const { port } = new URL(first.url);
  const watch = startCommand(['watch', '--ended', '--json'], { GANTRY_URL: first.url });
  await watch.wrote(/^Watching http.*; Ctrl-C ends it$/m);
  const send = async (url: string, name: string, colour: string) =>
    (await json<UploadJson>(await upload(url, [await plainPicture(name, colour)]))).correlationId;
  const dog = await send(first.url, 'dog.png', '#ff0000');
  await watch.wrote(new RegExp(dog));
  await first.stop();
  await watch.wrote(/trying again/);
  const second = await startGantry({ env: quick, dataDir, args: ['--port', port] });
  t.after(() => second.stop());
  const cat = await send(second.url, 'cat.png', '#00ff00');
  await watch.wrote(new RegExp(cat));
  watch.process.kill('SIGINT');
  const { out, err, code } = await watch.ended;
  const seen = lines(out).map((line) => JSON.parse(line) as ImageJson & { event: string });
  assert.deepEqual(
    seen.map(({ event, id, result }) => [event, id, result?.label]),
    [
      ['succeeded', dog, 'dog'],
      ['succeeded', cat, 'cat'],
    ],
  );
  assert.match(err, /the server answers again; nothing was missed/);
  assert.equal(code, 0);
});
