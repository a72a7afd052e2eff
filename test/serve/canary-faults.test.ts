import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { events, type ImageJson } from '../acceptance/target.ts';
import { plainPicture, poisonModel } from '../poison.ts';
import { freePorts } from '../services/free-port.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { images, listen, runCanary, wrong } from './run-canary.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const accepted = async (url: string, filename: string): Promise<ImageJson> => {
  for await (const { data } of events(`${url}/events`, { 'last-event-id': '0' })) {
    const image = JSON.parse(data) as ImageJson;
    if (image.filename === filename) return image;
  }
  throw new Error(`the events ended without ${filename}`);
};

suite('a canary on a server whose worker hangs or fails', () => {
  let server: Gantry;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-canary-'));
    const env = { GANTRY_WORKERS: '1', GANTRY_MAX_ATTEMPTS: '1', GANTRY_SHUTDOWN_TIMEOUT: '1s' };
    server = await startGantry({ env: { ...env, GANTRY_MODEL: poisonModel } });
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  const picture = async (name: string, colour: string): Promise<string[]> => {
    const path = join(folder, name);
    await writeFile(path, (await plainPicture(name, colour)).bytes);
    return ['--picture', path, '--expect', 'cat'];
  };

  test('is told why the image is dead', async () => {
    await wrong(
      runCanary(server.url, ...(await picture('throws.png', '#ffffff'))),
      /^failed: image 0\S+ is dead after 1 attempt: .*\(inference-failed\)\n$/,
    );
  });

  test('is late, says in which state, and the image is gone', async () => {
    const hangs = await picture('hangs.png', '#000000');
    await wrong(
      runCanary(server.url, ...hangs, '--timeout', '2s'),
      /^late: image 0\S+ is still (queued|processing) after [\d.]+ s\n$/,
    );
    assert.deepEqual(await images(server.url), []);
  });

  test('is gone if somebody deletes the image', async () => {
    const ran = runCanary(server.url, ...(await picture('deleted.png', '#000000')));
    const { id } = await accepted(server.url, 'gantry-canary-deleted.png');
    await fetch(`${server.url}/images/${id}`, { method: 'DELETE' });
    await wrong(ran, /^gone: image 0\S+ was accepted, and is gone\n$/);
  });

  test('is stopped by SIGTERM, and the image is deleted all the same', async () => {
    const args = ['canary', '--url', server.url, ...(await picture('stopped.png', '#000000'))];
    const child = spawn(process.execPath, [cli, ...args]);
    const outcome = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    await accepted(server.url, 'gantry-canary-stopped.png');
    child.kill('SIGTERM');
    const [out, err, [code]] = await outcome;
    assert.match(err, /^stopped: /);
    assert.deepEqual([out, code], ['', 1]);
    assert.deepEqual(await images(server.url), []);
  });
});

test('a server that does not answer, or is none', async (t) => {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  await wrong(
    runCanary(url, '--timeout', '1s'),
    /^unreachable: cannot reach http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED .* \(tried for [\d.]+ s\)\n$/,
  );
  const mute = await listen(t, () => undefined);
  await wrong(
    runCanary(mute, '--timeout', '1s'),
    /^unreachable: cannot reach .*: no answer in time \(tried for [\d.]+ s\)\n$/,
  );
  const other = await listen(t, (_request, response) => response.end('It works!'));
  await wrong(runCanary(other), /^unreachable: what answers at http:\/\/127\.0\.0\.1:\d+ is not Gantry\n$/);
  const { out } = await runCanary(url, '--timeout', '1s', '--json');
  const { outcome, id, deleted, error } = JSON.parse(out);
  assert.deepEqual([outcome, id, deleted, error.code], ['unreachable', null, false, 'unreachable']);
});

test('a server that is killed with the image and started again is waited for', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-canary-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const env = { GANTRY_WORKERS: '1' };
  const first = await startGantry({ dataDir, env });
  const { pid } = first.process;
  const workers = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number);
  // A worker that stands still keeps the image unfinished for as long as its server lives.
  for (const worker of workers) process.kill(worker, 'SIGSTOP');
  const ran = runCanary(first.url);
  await accepted(first.url, 'gantry-canary-canary.jpg');
  first.process.kill('SIGKILL');
  for (const worker of workers) process.kill(worker, 'SIGKILL');
  await first.stop();
  const second = await startGantry({ dataDir, env, args: ['--port', new URL(first.url).port] });
  t.after(() => second.stop());
  const { out, err, code } = await ran;
  assert.deepEqual([err, code], ['', 0]);
  assert.match(out, /^right: cat /);
  assert.deepEqual(await images(second.url), []);
});

test('a full disk is a reason, and nothing is tried again', async (t) => {
  const server = await startGantry({ env: { GANTRY_WORKERS: '1', GANTRY_MIN_FREE_BYTES: '900000GB' } });
  t.after(() => server.stop());
  await wrong(
    runCanary(server.url),
    /^refused: \d+ bytes of storage are free, and \d+ are kept in reserve \(storage-full\)\n$/,
  );
});

test('an upload waits for a server that is about to start', async (t) => {
  const [port] = await freePorts(1);
  const ran = runCanary(`http://127.0.0.1:${port}`);
  const server = await startGantry({ env: { GANTRY_WORKERS: '1' }, args: ['--port', String(port)] });
  t.after(() => server.stop());
  const { out, err } = await ran;
  assert.match(out, /^right: cat /, err);
});
