import assert from 'node:assert/strict';
import { readdir, watch } from 'node:fs/promises';
import { test } from 'node:test';
import { startProxy } from '../services/tcp-proxy.ts';
import { startGantry } from '../start-gantry.ts';
import { lines, newFolder, pictures, quick } from './pictures.ts';
import { gantry, startCommand } from './run-gantry.ts';

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
