import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type ImageJson, json } from '../acceptance/target.ts';
import { startProxy } from '../services/tcp-proxy.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { lines, newFolder, noise, quick } from './pictures.ts';
import { gantry, gantryOnTerminal, startCommand } from './run-gantry.ts';

const pieceBytes = 8 * 2 ** 20 - 65_536;
/** Two pieces and the beginning of a third, of 3 bytes a pixel. */
const side = 2500;
/** Of requests and their headers, and what of a piece was under way when its connection broke. */
const slackBytes = 200_000;
const thirdPiece = (bytes: Buffer): boolean => bytes.includes(`upload-offset: ${2 * pieceBytes}`);

let server: Gantry;
before(async () => {
  server = await startGantry({ env: quick });
});
after(() => server.stop());

/** A proxy before the server, a large picture that it does not have, and a place for what is remembered. */
const prepared = async (t: TestContext, to = server) => {
  const folder = await newFolder(t);
  const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(to.url).port) });
  t.after(() => proxy.close());
  const file = join(folder, 'large.png');
  const picture = await noise(side);
  await writeFile(file, picture);
  const sha256 = createHash('sha256').update(picture).digest('hex');
  const stored = async (): Promise<ImageJson[]> =>
    (await json<{ images: ImageJson[] }>(await fetch(`${to.url}/images?sha256=${sha256}`))).images;
  return {
    ...{ folder, proxy, file, picture, stored },
    env: { GANTRY_URL: `http://127.0.0.1:${proxy.port}`, XDG_STATE_HOME: join(folder, 'state') },
    state: join(folder, 'state/gantry/uploads'),
    /** All bytes of it, once. */
    isThereOnce: async () => {
      const [image, ...others] = await stored();
      assert.deepEqual([image?.bytes, others], [picture.length, []]);
    },
  };
};

/** What is remembered in a folder of begun uploads. */
const inState = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
const isForgotten = async (folder: string) => assert.deepEqual(await inState(folder), []);

test('a connection that is cut in the middle: only what lacks is sent again', async (t) => {
  const { proxy, env, state, file, picture, isThereOnce } = await prepared(t);
  const cut = proxy.cutAfter('toServer', thirdPiece);
  const { out, err, code } = await gantry(['upload', file], env);
  assert.deepEqual([code, await cut], [0, true], err);
  assert.match(out, /^accepted +[0-9a-f-]{36} {2}\/.*large\.png$/m);
  assert.match(err, /^cannot reach .*; trying again for up to 300 s/m);
  assert.match(err, /^the server answers again$/m);
  const sent = proxy.passed('toServer');
  // What a cut connection still had in its buffers is sent twice at most; from the start it would be two pieces.
  assert.ok(sent < picture.length + pieceBytes, `${sent} bytes for a file of ${picture.length}`);
  await isThereOnce();
  await isForgotten(state);
});

test('a server that is killed in the middle and started again goes on with what it had', async (t) => {
  const dataDir = await newFolder(t);
  const own = await startGantry({ env: quick, dataDir });
  const { proxy, env, file, picture, isThereOnce } = await prepared(t, own);
  const cut = proxy.cutAfter('toServer', thirdPiece);
  const upload = startCommand(['upload', file, '--json'], env);
  assert.equal(await cut, true);
  const exited = once(own.process, 'exit');
  own.process.kill('SIGKILL');
  await exited;
  const restarted = await startGantry({ env: quick, dataDir, args: ['--port', new URL(own.url).port] });
  t.after(() => restarted.stop());
  const { out, err, code } = await upload.ended;
  assert.equal(code, 0, err);
  assert.deepEqual(Object.keys(JSON.parse(out)), ['file', 'outcome', 'id', 'sha256', 'image', 'error']);
  assert.equal(JSON.parse(out).outcome, 'accepted');
  assert.ok(proxy.passed('toServer') < picture.length + pieceBytes);
  await isThereOnce();
});

test('a command that is killed in the middle and typed again sends only the rest', async (t) => {
  const { proxy, env, state, file, picture, isThereOnce } = await prepared(t);
  const cut = proxy.cutAfter('toServer', thirdPiece);
  const upload = startCommand(['upload', file], env);
  assert.equal(await cut, true);
  upload.process.kill('SIGKILL');
  assert.equal((await upload.ended).code, null);
  const [remembered = '', ...others] = await inState(state);
  assert.deepEqual([(await stat(remembered)).mode & 0o777, others], [0o600, []]);

  const sentBefore = proxy.passed('toServer');
  const again = await gantryOnTerminal(['upload', file], { ...env, NO_COLOR: '1' }, 120);
  assert.equal(again.code, 0, again.out);
  const sent = proxy.passed('toServer') - sentBefore;
  assert.ok(sent < picture.length - 2 * pieceBytes + slackBytes, `${sent} bytes for the rest`);
  // The bar begins where the server is, and that was not sent now.
  const [, shown] =
    /Uploading {2}\[#+\.+\] {2}(\S+) MB of \S+ MB {2}0 B\/s/.exec(stripVTControlCharacters(again.out)) ?? [];
  assert.ok(Number(shown) >= 16.6, again.out);
  await isThereOnce();
  await isForgotten(state);
});

test('Ctrl-C twice in the middle: it is told that the same command goes on, and it does', async (t) => {
  const { proxy, env, file, picture, isThereOnce } = await prepared(t);
  const cut = proxy.cutAfter('toServer', thirdPiece);
  const upload = startCommand(['upload', file], env);
  assert.equal(await cut, true);
  proxy.stall();
  const interrupting = setInterval(() => upload.process.kill('SIGINT'), 600);
  t.after(() => clearInterval(interrupting));
  const { err, code } = await upload.ended;
  clearInterval(interrupting);
  assert.equal(code, 130);
  const told =
    /^1 not uploaded: the same command goes on where it stopped, in the middle of \/.*large\.png, too: 16\.\d MB of \d\d\.\d MB are with the server$/m;
  assert.match(err, told);
  proxy.cut();
  proxy.resume();
  const sentBefore = proxy.passed('toServer');
  assert.equal((await gantry(['upload', file], env)).code, 0);
  assert.ok(proxy.passed('toServer') - sentBefore < picture.length - 2 * pieceBytes + slackBytes);
  await isThereOnce();
});

test('the last answer is lost on the way: the file is stored once', async (t) => {
  const { proxy, env, file, picture, isThereOnce } = await prepared(t);
  const lost = proxy.cutBefore('toClient', (bytes) => bytes.includes('gantry-image-id'));
  const { out, err, code } = await gantry(['upload', file], env);
  assert.deepEqual([code, await lost], [0, true], err);
  assert.match(out, /^accepted/);
  assert.ok(proxy.passed('toServer') < picture.length + slackBytes);
  await isThereOnce();
});

test('what is remembered may be damaged, or have no place: one line, and the file is uploaded', async (t) => {
  const { proxy, env, state, file, stored } = await prepared(t);
  const cut = proxy.cutAfter('toServer', thirdPiece);
  const upload = startCommand(['upload', file], env);
  assert.equal(await cut, true);
  upload.process.kill('SIGKILL');
  await upload.ended;
  for (const path of await inState(state)) await writeFile(path, '{"half');
  const damaged = await gantry(['upload', file], env);
  assert.equal(damaged.code, 0, damaged.err);
  assert.equal(
    damaged.err.match(/uploads cannot be used \(what is in it is damaged\)/g)?.length,
    1,
    damaged.err,
  );
  await isForgotten(state);
  const nowhere = await gantry(['upload', file, '--again'], { ...env, XDG_STATE_HOME: file });
  assert.equal(nowhere.code, 0, nowhere.err);
  assert.equal(nowhere.err.match(/uploads cannot be used \(ENOTDIR\)/g)?.length, 1, nowhere.err);
  assert.equal((await stored()).length, 2);
});

test('a server that does not know uploads in pieces gets the file as a whole', async (t) => {
  const { env, state, file, isThereOnce } = await prepared(t);
  const asked: string[] = [];
  const old = createServer((incoming, answer) => {
    const { method, url = '', headers } = incoming;
    asked.push(`${method} ${url}`);
    if (url.startsWith('/uploads')) {
      incoming.resume();
      answer.writeHead(404, { 'content-type': 'application/problem+json' });
      answer.end('{"code":"not-found","detail":"there is no such route"}');
      return;
    }
    const onward = request(`${server.url}${url}`, { method, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 0, from.headers);
      from.pipe(answer);
    });
    incoming.pipe(onward);
  });
  old.listen(0, '127.0.0.1');
  await once(old, 'listening');
  t.after(() => old.close());
  const url = `http://127.0.0.1:${(old.address() as AddressInfo).port}`;
  const { out, err, code } = await gantry(['upload', file], { ...env, GANTRY_URL: url });
  assert.equal(code, 0, err);
  assert.match(out, /^accepted/);
  assert.deepEqual(
    asked.filter((one) => one.startsWith('POST')),
    ['POST /uploads', 'POST /upload'],
  );
  await isThereOnce();
  await isForgotten(state);
});

test('a large file that is no picture is refused by its first bytes, and not remembered', async (t) => {
  const { proxy, env, state, folder } = await prepared(t);
  const film = join(folder, 'film.png');
  await writeFile(film, Buffer.alloc(20_000_000, 'film'));
  const { out, err, code } = await gantry(['upload', film], env);
  assert.deepEqual([out, code], ['', 1]);
  assert.match(err, /^refused +\/.*film\.png: .*no known image type \(unsupported-type\)$/m);
  assert.ok(proxy.passed('toServer') < 2 * pieceBytes);
  await isForgotten(state);
});

test('standard input goes in pieces, too, and is not remembered', async (t) => {
  const { proxy, env, state, file, isThereOnce } = await prepared(t);
  const cut = proxy.cutAfter('toServer', thirdPiece);
  const { process: child, ended } = startCommand(['upload', '-', '--name', 'large.png'], env);
  child.stdin.end(await readFile(file));
  assert.equal(await cut, true);
  await isForgotten(state);
  const { out, err, code } = await ended;
  assert.equal(code, 0, err);
  assert.deepEqual(lines(out).length, 1);
  await isThereOnce();
});
