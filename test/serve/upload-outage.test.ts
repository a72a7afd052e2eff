import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { ImageJson } from '../acceptance/target.ts';
import { freePorts } from '../services/free-port.ts';
import { startProxy } from '../services/tcp-proxy.ts';
import { startGantry } from '../start-gantry.ts';
import { lines, newFolder, pictures, quick } from './pictures.ts';
import { images } from './run-canary.ts';
import { gantry, startCommand } from './run-gantry.ts';

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

test('a file that is sent once more: the server is heard of again before all of it is there', async (t) => {
  const folder = await pictures(t, 1);
  const server = await startGantry({ env: quick });
  t.after(() => server.stop());
  let uploads = 0;
  const again = Promise.withResolvers<() => void>();
  const between = createServer((incoming, answer) => {
    const { method, url, headers } = incoming;
    const goOn = () => {
      const onward = request(`${server.url}${url}`, { method, headers }, (from) => {
        answer.writeHead(from.statusCode ?? 0, from.headers);
        from.pipe(answer);
      });
      incoming.pipe(onward);
    };
    if (url !== '/upload') return goOn();
    uploads += 1;
    if (uploads === 1) incoming.destroy();
    else again.resolve(goOn);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  t.after(() => between.close());
  const url = `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
  const upload = startCommand(['upload', folder], { GANTRY_URL: url });
  await upload.wrote(/^cannot reach .*; trying again/m);
  await upload.wrote(/^the server answers again$/m);
  const letThrough = await again.promise;
  letThrough();
  const { out, err, code } = await upload.ended;
  assert.deepEqual([code, lines(out).length], [0, 1], err);
  assert.equal(err.match(/answers again/g)?.length, 1);
});

test('a server that was never there is not waited for long, and says what to do', async (t) => {
  const folder = await pictures(t, 1);
  const env = { GANTRY_URL: `http://127.0.0.1:${await freePorts(1)}` };
  const { err, code } = await gantry(['upload', folder], env);
  assert.match(err, /^cannot reach .*ECONNREFUSED.*; trying again for up to 10 s/);
  assert.match(err, /Is it running\? `gantry serve` starts one here; --url or GANTRY_URL names another$/m);
  assert.equal(code, 1);

  const watch = startCommand(['watch'], env);
  t.after(() => watch.process.kill('SIGINT'));
  await watch.wrote(/^cannot reach .*; trying again \(Ctrl-C stops\)\nIs it running\? /);
});
