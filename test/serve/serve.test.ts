import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { accepted, ended, events } from '../acceptance/target.ts';
import { startGantry } from '../start-gantry.ts';
import { cli, gantry } from './run-gantry.ts';

const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'gantry-serve-'));

/** A mistake of the user's is one line on stderr, without a stack. */
const refused = async (args: string[], env: NodeJS.ProcessEnv, code: number, message: RegExp) => {
  const outcome = await gantry(args, env);
  assert.equal(outcome.code, code, outcome.err);
  assert.match(outcome.err, message);
  assert.equal(outcome.err.trim().split('\n').length, 1, outcome.err);
};

test('an unknown setting: exit code 2', async () => {
  await refused(['serve'], { GANTRY_PROT: '1' }, 2, /unknown setting GANTRY_PROT/);
});
test('a wrong value: exit code 2', async () => {
  await refused(['serve', '--port', 'http'], {}, 2, /--port takes a whole number/);
});
test('a folder that cannot be written to', async () => {
  await refused(['serve', '--data-dir', '/proc/gantry'], {}, 1, /folder \/proc\/gantry cannot be written/);
  await refused(['serve', '--data-dir', '/dev/null'], {}, 1, /folder \/dev\/null cannot be written/);
});
test('a broken model', async () => {
  const folder = await newFolder();
  const args = ['serve', '--port', '0', '--data-dir', await newFolder(), '--model', folder];
  await refused(args, {}, 1, /manifest\.json: there is no such file/);
  await writeFile(join(folder, 'manifest.json'), '{');
  await refused(args, {}, 1, /manifest\.json/);
});
test('a database that is none', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'gantry.db'), 'not a database '.repeat(1000));
  await refused(['serve', '--port', '0', '--data-dir', folder], {}, 1, /gantry\.db: file is not a database/);
});
test('a port in use', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await refused(
    ['serve', '--port', String(port), '--data-dir', await newFolder()],
    {},
    1,
    /port \d+ is in use/,
  );
  other.close();
});
test('a data folder in use', async () => {
  const server = await startGantry();
  await refused(['serve', '--port', '0', '--data-dir', server.dataDir], {}, 1, /in use by another gantry/);
  assert.equal(await server.stop(), 0);
});
test('a data folder in use, for gantry web: waits for the end of the one before', async (t) => {
  const before = await startGantry();
  const args = ['web', '--port', '0', '--data-dir', before.dataDir, '--amqp-url', 'amqp://127.0.0.1:1'];
  const web = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    web.kill('SIGKILL');
    await before.stop();
  });
  const lines = createInterface(web.stdout)[Symbol.asyncIterator]();
  const logged = async (message: RegExp): Promise<void> => {
    for (let line = await lines.next(); !line.done; line = await lines.next())
      if (message.test(JSON.parse(line.value).msg)) return;
    assert.fail(`ended without ${message}`);
  };
  await logged(/another gantry has the data folder/);
  assert.equal((await fetch(`${before.url}/readyz`)).status, 200, 'the one before is not disturbed');
  before.process.kill('SIGTERM');
  await logged(/^listening$/);
  web.kill('SIGTERM');
  assert.deepEqual(await once(web, 'exit'), [0, null]);
});

test('SIGTERM drains: what is at work is finished, event streams end, no process is left, exit code 0', async () => {
  const server = await startGantry({ env: { GANTRY_WORKERS: '1' } });
  const workers = await readFile(`/proc/${server.process.pid}/task/${server.process.pid}/children`, 'utf8');
  const streamEnded = (async () => {
    for await (const _ of events(`${server.url}/events`));
  })();
  const ids = await Promise.all(Array.from({ length: 12 }, () => accepted(server.url, 'cats/chelsea.png')));
  await ended(server.url, ids[0] ?? '');
  assert.equal(await server.stop(), 0);
  await streamEnded;
  for (const pid of workers.trim().split(' ')) assert.throws(() => process.kill(Number(pid), 0), /ESRCH/);
  const faults = server.logs.filter(({ level }) => level !== 'info');
  assert.deepEqual(faults, []);
});

test('what a shutdown left goes on at the next start, each image once', async () => {
  const dataDir = await newFolder();
  const first = await startGantry({ dataDir, env: { GANTRY_WORKERS: '1' } });
  const ids = await Promise.all(Array.from({ length: 40 }, () => accepted(first.url, 'cats/chelsea.png')));
  assert.equal(await first.stop(), 0);
  const second = await startGantry({ dataDir });
  const images = await Promise.all(ids.map((id) => ended(second.url, id)));
  for (const image of images) {
    assert.equal(image.state, 'succeeded');
    assert.equal(image.attempts, 1, 'a shutdown costs no attempt');
  }
  assert.equal(await second.stop(), 0);
});

test('an upload slower than the limit gets 408, even from a client that never hangs up', async () => {
  const server = await startGantry({ env: { GANTRY_REQUEST_TIMEOUT: '1s' } });
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.write('POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n');
  socket.write('Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n');
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /"code":"request-timeout"/);
  assert.match(answer, /limit of 1000 ms/);
  assert.equal(await server.stop(), 0);
  socket.destroy();
});
