import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { upload } from '../acceptance/target.ts';
import { poisonModel } from '../poison.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { fixturePath, images, listen, runCanary, wrong } from './run-canary.ts';
import { gantry } from './run-gantry.ts';

const canaryPicture = fileURLToPath(new URL('../../models/pets/canary.jpg', import.meta.url));

suite('a canary on a sound server', () => {
  let server: Gantry;
  before(async () => {
    server = await startGantry({ env: { GANTRY_WORKERS: '1' } });
  });
  after(() => server.stop());

  test('is right with the picture of the model folder, and leaves nothing', async () => {
    const { out, err, code } = await gantry(['canary'], { GANTRY_URL: server.url });
    assert.match(
      out,
      /^right: cat \d+\.\d % in .*s \(upload .*s, wait .*s, fetch .*s, decode .*s, model .*s\)\n$/,
    );
    assert.deepEqual([err, code], ['', 0]);
    assert.deepEqual(await images(server.url), []);
  });

  test('--json prints a verdict, --keep leaves the image', async () => {
    const { out, code } = await runCanary(server.url, '--json', '--keep');
    assert.equal(code, 0);
    assert.equal(out.trimEnd().split('\n').length, 1);
    const { id, confidence, model, totalMs, uploadMs, timings, message, ...rest } = JSON.parse(out);
    assert.deepEqual(rest, {
      outcome: 'right',
      error: null,
      expected: 'cat',
      label: 'cat',
      state: 'succeeded',
      deleted: false,
    });
    assert.match(message, /^cat \d+\.\d %$/);
    assert.deepEqual([model.name, model.digest.length], ['pets', 64]);
    assert.ok(confidence > 0.9 && uploadMs > 0 && totalMs >= uploadMs, out);
    assert.deepEqual(Object.keys(timings), ['waitMs', 'fetchMs', 'decodeMs', 'inferMs']);
    const [kept] = await images(server.url);
    assert.deepEqual([kept?.id, kept?.filename], [id, 'canary.jpg']);
    await fetch(`${server.url}/images/${id}`, { method: 'DELETE' });
  });

  test('is wrong for another label, whichever picture', async () => {
    await wrong(
      runCanary(server.url, '--expect', 'dog'),
      /^wrong label: expected dog, but pets \d.* says cat .* of image 0/,
    );
    const dog = fixturePath('dogs/golden_retriever.jpg');
    await wrong(
      runCanary(server.url, '--picture', dog, '--expect', 'cat'),
      /^wrong label: expected cat, but .* says dog/,
    );
    assert.equal((await runCanary(server.url, '--picture', dog, '--expect', 'dog')).code, 0);
    assert.deepEqual(await images(server.url), []);
  });

  test('tells a refused file from a picture that cannot be used', async () => {
    const nothing = fileURLToPath(import.meta.url);
    await wrong(
      runCanary(server.url, '--picture', nothing, '--expect', 'cat'),
      /^refused: .* \(unsupported-type\)\n$/,
    );
    const broken = ['--picture', fixturePath('odd/dog_truncated.jpg'), '--expect', 'dog'];
    await wrong(
      runCanary(server.url, ...broken),
      /^failed: image 0\S+ is failed after 1 attempt: .*\(undecodable\)\n$/,
    );
    const { out, code } = await runCanary(server.url, ...broken, '--json');
    const { outcome, state, label, error, deleted } = JSON.parse(out);
    assert.deepEqual(
      [code, outcome, state, label, error.code, deleted],
      [1, 'failed', 'failed', null, 'undecodable', true],
    );
    assert.deepEqual(await images(server.url), []);
  });

  /** What the server says to a request that came to somebody else. */
  const forwarded = async (request: IncomingMessage): Promise<Response> => {
    const { 'content-type': type = '', 'idempotency-key': key = '' } = request.headers;
    const body = {
      body: request,
      duplex: 'half' as const,
      headers: { 'content-type': type, 'idempotency-key': `${key}` },
    };
    const init = { method: request.method ?? '', ...(request.method === 'POST' ? body : {}) };
    return fetch(`${server.url}${request.url}`, init);
  };

  test('is stored once if the answer to its upload is lost', async (t) => {
    let lost = 0;
    const url = await listen(t, async (request, response) => {
      const answer = await forwarded(request);
      if (request.method === 'POST' && lost++ === 0) response.destroy();
      else response.writeHead(answer.status).end(await answer.bytes());
    });
    const { out, err } = await runCanary(url, '--keep');
    assert.match(out, /^right: cat /, err);
    assert.equal(lost, 2);
    const kept = await images(server.url);
    assert.equal(kept.length, 1);
    await fetch(`${server.url}/images/${kept[0]?.id}`, { method: 'DELETE' });
  });

  /** A server where only the first so many deletions are let through. */
  const guarded = (t: TestContext, deletions: number): Promise<string> =>
    listen(t, async (request, response) => {
      if (request.method === 'DELETE' && deletions-- <= 0) {
        response.writeHead(403).end();
        return;
      }
      const answer = await forwarded(request);
      response.writeHead(answer.status).end(await answer.bytes());
    });

  test('is not right if the image cannot be deleted', async (t) => {
    await wrong(
      // The first is the question whether it may.
      runCanary(await guarded(t, 1)),
      /^not deleted: cat .*; image 0\S+ could not be deleted: the server answered 403 Forbidden\n$/,
    );
    for (const { id } of await images(server.url))
      await fetch(`${server.url}/images/${id}`, { method: 'DELETE' });
  });

  test('uploads nothing that it may not delete', async (t) => {
    await wrong(
      runCanary(await guarded(t, 0)),
      /^refused: the server answered 403 Forbidden \(http-error\)\n$/,
    );
    assert.deepEqual(await images(server.url), []);
  });

  test('clears up what an earlier one has left, and nothing else', async (t) => {
    const [bytes, other] = await Promise.all([
      readFile(canaryPicture),
      readFile(fixturePath('dogs/golden_retriever.jpg')),
    ]);
    const left = { name: 'gantry-canary-canary.jpg', bytes };
    for (const file of [left, left, { ...left, bytes: other }, { ...left, name: 'canary.jpg' }])
      assert.equal((await upload(server.url, [file])).status, 202);
    const names = async () =>
      (await images(server.url)).map(({ filename, bytes }) => `${filename} ${bytes}`).sort();
    assert.equal((await runCanary(server.url)).code, 0);
    assert.equal((await names()).length, 4, 'another canary may be waiting for what is so young');

    const url = await listen(t, async (request, response) => {
      const answer = await forwarded(request);
      const later = (_: string, time: string) =>
        `"createdAt":"${new Date(Date.parse(time) + 2 * 3600e3).toISOString()}"`;
      const text = Buffer.from(await answer.bytes()).toString('latin1');
      response.writeHead(answer.status).end(text.replace(/"createdAt":"([^"]+)"/, later), 'latin1');
    });
    const { out, err } = await runCanary(url);
    assert.match(out, /^right: cat /, err);
    assert.deepEqual(await names(), [
      `canary.jpg ${bytes.byteLength}`,
      `gantry-canary-canary.jpg ${other.byteLength}`,
    ]);
  });
});

test('wrong usage is one line and exit code 2', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-canary-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [args, line] of [
    [['--timeout', 'soon'], /--timeout takes a duration .*, not "soon"/],
    [['--picture', 'cat.jpg'], /--picture needs --expect LABEL/],
    [['--picture', '/nowhere.jpg', '--expect', 'cat'], /\/nowhere\.jpg: there is no such file/],
    [['--model', poisonModel], /manifest\.json names no canary: give --picture FILE --expect LABEL/],
    [['--model', folder], /manifest\.json: there is no such file/],
    [['--url', 'nonsense'], /cannot reach nonsense: a server is named like/],
    [['--url', 'http://me:s3cret@127.0.0.1'], /cannot reach http:\/\/127\.0\.0\.1 with a user or password/],
    [['--url', 'htp://me:s3cret@127.0.0.1'], /cannot reach htp:\/\/127\.0\.0\.1: a server is named like/],
  ] as const) {
    const { out, err, code } = await gantry(['canary', ...args]);
    assert.match(err, line);
    assert.equal(err.includes('s3cret'), false);
    assert.deepEqual([err.trimEnd().split('\n').length, out, code], [1, '', 2]);
  }
  const { err, code } = await gantry(['canary', '--nonsense']);
  assert.match(err, /unknown option '--nonsense'/);
  assert.equal(code, 2);
});
