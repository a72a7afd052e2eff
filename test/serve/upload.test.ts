import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink, truncate, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { fixture, type ImageJson } from '../acceptance/target.ts';
import { plainPicture, poisonModel } from '../poison.ts';
import { freePorts } from '../services/free-port.ts';
import { startProxy } from '../services/tcp-proxy.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { images } from './run-canary.ts';
import { cli, gantry, gantryOnTerminal, startCommand } from './run-gantry.ts';

const lines = (text: string): string[] => text.trimEnd().split('\n');

/** A folder of its own, gone after the test. */
const newFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-upload-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
};

const shade = (n: number): string => `#${(0x400000 + n).toString(16)}`;
/** As many different pictures as asked for. */
const pictures = async (t: TestContext, count: number): Promise<string> => {
  const folder = await newFolder(t);
  for (let n = 1; n <= count; n += 1) {
    const { name, bytes } = await plainPicture(`p${n}.png`, shade(n));
    await writeFile(join(folder, name), bytes);
  }
  return folder;
};

const quick = { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1' };

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
    assert.match(first.err, /^1 file whose name is no picture's left alone/);
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

test('a server killed in the middle is waited for, and every file is there once', async (t) => {
  const folder = await pictures(t, 40);
  const dataDir = await newFolder(t);
  const first = await startGantry({ env: quick, dataDir });
  const { port } = new URL(first.url);
  const upload = startCommand(['upload', folder, '--concurrency', '2', '--json'], { GANTRY_URL: first.url });
  await upload.wrote(/"accepted"/);
  first.process.kill('SIGKILL');
  await upload.wrote(/cannot reach .*; trying again for up to 300 s/);
  const second = await startGantry({ env: quick, dataDir, args: ['--port', port] });
  t.after(() => second.stop());
  const { out, err, code } = await upload.ended;
  assert.equal(code, 0, err);
  assert.match(err, /the server answers again/);
  const ids = lines(out).map((line) => JSON.parse(line).id as string);
  const stored = await (await fetch(`${second.url}/images?limit=500`)).json();
  const there = (stored as { images: ImageJson[] }).images;
  assert.deepEqual([ids.length, new Set(ids).size], [40, 40]);
  assert.deepEqual(there.map(({ id }) => id).sort(), ids.sort());
  assert.equal(new Set(there.map(({ sha256 }) => sha256)).size, 40);
});

test('Ctrl-C: what is on its way comes to its end, the rest is told, and the same command goes on', async (t) => {
  const folder = await pictures(t, 40);
  const server = await startGantry({ env: quick });
  t.after(() => server.stop());
  const env = { GANTRY_URL: server.url };
  const upload = startCommand(['upload', folder, '--concurrency', '2'], env);
  await upload.wrote(/^accepted/m);
  upload.process.kill('SIGINT');
  const stopped = await upload.ended;
  assert.equal(stopped.code, 130);
  const done = lines(stopped.out).length;
  assert.match(stopped.err, /^Stopping: /m);
  assert.match(stopped.err, new RegExp(`^${40 - done} not uploaded: the same command goes on`, 'm'));
  const stored = async () =>
    ((await (await fetch(`${server.url}/images?limit=500`)).json()) as { images: object[] }).images.length;
  assert.equal(await stored(), done);
  const rest = await gantry(['upload', folder], env);
  assert.equal(rest.code, 0, rest.err);
  assert.equal(rest.out.match(/^known/gm)?.length, done);
  assert.equal(await stored(), 40);
});

test('an answer that is lost on the way: the file is stored once', async (t) => {
  const folder = await pictures(t, 1);
  const server = await startGantry({ env: quick });
  const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
  t.after(async () => {
    await proxy.close();
    await server.stop();
  });
  const lost = proxy.cutBefore('toClient', (bytes) => bytes.includes('202 Accepted'));
  const upload = await gantry(['upload', folder], { GANTRY_URL: `http://127.0.0.1:${proxy.port}` });
  assert.equal(await lost, true);
  assert.deepEqual([upload.code, lines(upload.out).length], [0, 1], upload.err);
  assert.match(upload.out, /^accepted/);
  const [stored, ...others] = await images(server.url);
  assert.ok(upload.out.includes(stored?.id ?? ''));
  assert.deepEqual(others, []);
});

test('Ctrl-C twice breaks off what a server never answers', async (t) => {
  const folder = await pictures(t, 3);
  const server = await startGantry({ env: quick });
  const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
  t.after(async () => {
    await proxy.close();
    await server.stop();
  });
  const upload = startCommand(['upload', folder, '-c', '1'], {
    GANTRY_URL: `http://127.0.0.1:${proxy.port}`,
  });
  await upload.wrote(/^accepted/m);
  proxy.stall();
  // Signals that come together count as one: npm passes on what a terminal has sent already.
  const interrupting = setInterval(() => upload.process.kill('SIGINT'), 600);
  t.after(() => clearInterval(interrupting));
  const { code, err } = await upload.ended;
  clearInterval(interrupting);
  assert.match(err, /^Stopping: /m);
  assert.match(err, /^\d not uploaded: the same command goes on/m);
  assert.equal(code, 130);
});

test('Ctrl-C while standard input is read leaves no file behind', async (t) => {
  const folder = await newFolder(t);
  const changes = watch(folder);
  const made = changes[Symbol.asyncIterator]().next();
  const upload = startCommand(['upload', '-'], { TMPDIR: folder });
  upload.process.stdin.write('half a picture');
  await made;
  await changes[Symbol.asyncIterator]().return?.();
  assert.equal((await readdir(folder)).length, 1);
  upload.process.kill('SIGINT');
  assert.equal((await upload.ended).code, 130);
  assert.deepEqual(await readdir(folder), []);
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
  const env = { GANTRY_URL: server.url };
  const { err, code } = await startCommand(['upload', file], env, program as [string, ...string[]]).ended;
  assert.equal(code, 0, err);
  const most = Number(/most memory (\d+)/.exec(err)?.[1]);
  assert.ok(most < mostMemory, `${most} bytes of memory for a file of ${bytes}`);
});

test('a server that was never there is not waited for long, and says what to do', async (t) => {
  const folder = await pictures(t, 1);
  const env = { GANTRY_URL: `http://127.0.0.1:${await freePorts(1)}` };
  const { err, code } = await gantry(['upload', folder], env);
  assert.match(err, /^cannot reach .*ECONNREFUSED.*; trying again for up to 10 s/);
  assert.match(err, /Is it running\? `gantry serve` starts one here; --url or GANTRY_URL names another$/m);
  assert.equal(code, 1);
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
