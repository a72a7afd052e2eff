import assert from 'node:assert/strict';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { fixture, type ImageJson } from '../acceptance/target.ts';
import { plainPicture } from '../poison.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { lines, newFolder, pictures, quick } from './pictures.ts';
import { images } from './run-canary.ts';
import { cli, gantry, gantryOnTerminal, startCommand } from './run-gantry.ts';

suite('gantry upload on a sound server', () => {
  let server: Gantry;
  let env: NodeJS.ProcessEnv;
  before(async () => {
    server = await startGantry({ env: quick });
    env = { GANTRY_URL: server.url };
  });
  after(() => server.stop());

  test('a folder: each file has its line and outcome, and the same command again sends nothing', async (t) => {
    const folder = await pictures(t, 3);
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'deep/broken.jpg'), 'no picture');
    await writeFile(join(folder, 'deep/empty.jpg'), '');
    await writeFile(join(folder, '.hidden.png'), await fixture('cats/chelsea.png'));
    await writeFile(join(folder, 'notes.txt'), 'left alone');
    await symlink(folder, join(folder, 'deep/loop'));
    const before = (await images(server.url)).length;
    const first = await gantry(['upload', folder], env);
    assert.equal(first.code, 1);
    assert.match(first.out, /^accepted +[0-9a-f-]{36} {2}\/.*p1\.png$/m);
    assert.equal(lines(first.out).length, 3, first.out);
    assert.match(first.err, /^Passed over: 1 file not named as pictures are/);
    assert.match(first.err, /^refused +\/.*deep\/broken\.jpg: .*no known image type \(unsupported-type\)$/m);
    assert.match(first.err, /^refused +\/.*deep\/empty\.jpg: .*\(empty-file\)$/m);
    assert.match(first.err, /^5 files: .*\b3 accepted/m);
    const second = await gantry(['upload', join(folder, 'p*.png'), join(folder, 'p1.png')], env);
    assert.deepEqual([second.code, lines(second.out).length], [0, 3]);
    assert.match(second.out, /^known +[0-9a-f-]{36} {2}.*p2\.png {2}uploaded before: \w/m);
    assert.equal((await images(server.url)).length, before + 3);
  });

  test('--wait prints a table, --json a line an image; the exit code says if all have a label', async (t) => {
    const folder = await newFolder(t);
    for (const [name, colour] of [
      ['red.png', '#ff0000'],
      ['green.png', '#00ff00'],
    ] as const) {
      await writeFile(join(folder, name), (await plainPicture(name, colour)).bytes);
    }
    const fine = await gantry(['upload', folder, '--wait'], env);
    const [head = '', ...rows] = lines(fine.out);
    assert.match(head, /^FILE +STATE +ID +RESULT$/);
    assert.match(rows[0] ?? '', /green\.png +succeeded +[0-9a-f-]{36} +cat \d+\.\d %$/);
    assert.match(rows[1] ?? '', /red\.png +succeeded +\S{36} +dog /);
    assert.deepEqual([fine.code, fine.out.includes('\u001b')], [0, false]);
    await writeFile(join(folder, 'broken.jpg'), await fixture('odd/dog_truncated.jpg'));
    await writeFile(join(folder, 'none.jpg'), 'no picture');
    const mixed = await gantry(['upload', folder, '--wait', '--json'], env);
    const parsed = lines(mixed.out).map((line) => JSON.parse(line));
    assert.deepEqual(
      Object.fromEntries(parsed.map(({ file, outcome }) => [file.slice(folder.length + 1), outcome])),
      { 'none.jpg': 'refused', 'broken.jpg': 'failed', 'green.png': 'succeeded', 'red.png': 'succeeded' },
    );
    for (const line of parsed) {
      const keys = ['file', 'outcome', 'id', 'sha256', 'image', 'error'];
      assert.deepEqual(Object.keys(line), keys);
    }
    const { image, error } = parsed.find(({ outcome }) => outcome === 'failed');
    assert.deepEqual([(image as ImageJson).state, error.code, mixed.code], ['failed', 'undecodable', 1]);
    // A terminal has room for why, not for all of the ID.
    const narrow = await gantryOnTerminal(['upload', folder, '--wait'], { ...env, NO_COLOR: '1' }, 110);
    const begins = (error.message as string).slice(0, 10);
    assert.ok(
      narrow.out.includes(` failed     ${(image as ImageJson).id.slice(0, 18)}  ${begins}`),
      narrow.out,
    );
    // What somebody has to look at stands above the prompt.
    assert.ok(narrow.out.indexOf('red.png') < narrow.out.indexOf(' failed  '), narrow.out);
  });

  test('standard input, and a file too large for this server', async (t) => {
    const { process: child, ended } = startCommand(
      ['upload', '-', '--name', 'pipe.png', '--wait', '--json'],
      env,
    );
    child.stdin.end((await plainPicture('x', '#0000ff')).bytes);
    const { out, code } = await ended;
    const { file, image } = JSON.parse(out);
    assert.deepEqual([file, image.filename, image.result.label, code], ['-', 'pipe.png', 'other', 0]);
    const file2 = join(await newFolder(t), 'large.jpg');
    await writeFile(file2, Buffer.alloc(51_000_000));
    const large = await gantry(['upload', file2], env);
    assert.match(large.err, /51000000 bytes are more than the 50000000 that the server takes/);
    assert.equal(large.code, 1);
  });

  test('on a terminal: a bar with rate and time left, colours unless NO_COLOR', async (t) => {
    const folder = await pictures(t, 3);
    const { out, code } = await gantryOnTerminal(['upload', folder, '--wait', '--again'], env);
    assert.equal(code, 0, out);
    assert.ok(out.includes('\r\u001b[KUploading  ['), out);
    assert.match(
      stripVTControlCharacters(out),
      /Uploading {2}\[\.+\] {2}0 B of \d+ B {2}0 B\/s {2}0 of 3 files/,
    );
    assert.ok(out.includes('\u001b[32msucceeded\u001b[39m'), out);
    const plain = await gantryOnTerminal(['upload', folder, '--wait'], { ...env, NO_COLOR: '1' });
    assert.ok(plain.out.includes('  succeeded  '));
    assert.equal(plain.out.includes('\u001b[3'), false, JSON.stringify(plain.out));
  });

  test('wrong usage is one line and exit code 2, before anything is sent', async () => {
    for (const [args, line] of [
      [['/nowhere.png'], /\/nowhere\.png: there is no such file or folder/],
      [['/nowhere/*.png'], /nothing matches \/nowhere\/\*\.png/],
      [['x', '--concurrency', '0'], /--concurrency takes a whole number from 1 to 64, not "0"/],
      [['x', '--timeout', '1s'], /--timeout makes sense only with --wait/],
      [['x', '--patience', 'long'], /--patience takes a duration/],
    ] as const) {
      const { out, err, code } = await gantry(['upload', ...args], env);
      assert.match(err, line);
      assert.deepEqual([lines(err).length, out, code], [1, '', 2]);
    }
  });
});

test('a large file is never in memory as a whole', async (t) => {
  const [bytes, mostMemory] = [400_000_000, 300_000_000];
  const file = join(await newFolder(t), 'large.jpg');
  await writeFile(file, (await fixture('dogs/golden_retriever.jpg')).subarray(0, 1000));
  await truncate(file, bytes);
  const server = await startGantry({ env: quick, args: ['--max-file-bytes', '1GB'] });
  t.after(() => server.stop());
  const measure = `process.on('exit', () => console.error('most memory', process.resourceUsage().maxRSS * 1024))`;
  const program = [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(measure)}`, cli];
  const env = { GANTRY_URL: server.url, XDG_STATE_HOME: await newFolder(t) };
  const { err, code } = await startCommand(['upload', file], env, program as [string, ...string[]]).ended;
  assert.equal(code, 0, err);
  const most = Number(/most memory (\d+)/.exec(err)?.[1]);
  assert.ok(most < mostMemory, `${most} bytes of memory for a file of ${bytes}`);
});

test('with a key that may only upload, and with one that may nothing', async (t) => {
  const folder = await pictures(t, 2);
  const keys = join(await newFolder(t), 'keys.json');
  const create = async (scope: string) =>
    (await gantry(['keys', 'create', '--name', scope, '--scope', scope, '--api-keys-file', keys])).out.trim();
  const [uploadOnly, readOnly] = [await create('upload'), await create('read')];
  const server = await startGantry({ env: { ...quick, GANTRY_API_KEYS_FILE: keys } });
  t.after(() => server.stop());
  const env = { GANTRY_URL: server.url };
  const mayUpload = { ...env, GANTRY_API_KEY: uploadOnly };
  const fine = await gantry(['upload', folder], mayUpload);
  assert.match(fine.err, /may only upload, so files that the server has already are uploaded again/);
  assert.equal(fine.code, 0, fine.err);
  assert.equal((await gantry(['upload', folder, '--wait'], mayUpload)).code, 2);
  const forbidden = await gantry(['upload', folder, '--again'], { ...env, GANTRY_API_KEY: readOnly });
  assert.equal(forbidden.code, 1);
  assert.match(forbidden.err, /^2 files: 2 not uploaded$/m);
  assert.match(forbidden.err, /gantry: .*\bupload\b/);
  const without = await gantry(['upload', folder], env);
  assert.match(without.err, /give it with --api-key-file or GANTRY_API_KEY/);
  assert.equal(without.code, 1);
});
