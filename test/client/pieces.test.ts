import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ClientError, type GantryClient, gantryClient, persistently } from '../../src/client/client.ts';
import { noise, quick } from '../serve/pictures.ts';
import { startProxy } from '../services/tcp-proxy.ts';
import { startGantry } from '../start-gantry.ts';

const content = new Blob([new Uint8Array(await noise(1700))]);

test('a call repeated with the same key goes on where the last one broke off, also of another client', async (t) => {
  const server = await startGantry({ env: quick });
  const proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
  t.after(async () => {
    await proxy.close();
    await server.stop();
  });
  const kept: number[] = [];
  const upload = (client: GantryClient, idempotencyKey?: string) =>
    client.upload(
      { name: 'large.png', content },
      { ...(idempotencyKey ? { idempotencyKey } : {}), onKept: (bytes) => kept.push(bytes) },
    );
  const cut = proxy.cutBefore('toServer', (bytes) => bytes.includes('upload-offset: 8323072'));
  const url = `http://127.0.0.1:${proxy.port}`;
  await assert.rejects(upload(gantryClient(url), 'visit'), { code: 'unreachable' });
  assert.equal(await cut, true);
  assert.deepEqual(kept.splice(0), [0, 8_323_072]);
  const image = await upload(gantryClient(server.url), 'visit');
  assert.deepEqual([image.filename, image.bytes], ['large.png', content.size]);
  // Where it stood, after the rest, and when it is asked what became of it.
  assert.deepEqual(kept.splice(0), [8_323_072, content.size, content.size]);
  assert.deepEqual(await upload(gantryClient(server.url), 'visit'), image);
  assert.deepEqual(kept, [content.size]);
  assert.notEqual((await upload(gantryClient(server.url))).id, image.id);
});

/** Answers every request alike. */
const answering = async (t: TestContext, status: number, body = '', headers = {}) => {
  const server = createServer((request, answer) => {
    request.resume();
    answer.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return gantryClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
};

test('whatever stands before a server answers, the error is one line', async (t) => {
  const type = { 'content-type': 'application/problem+json' };
  for (const [status, body, code, message] of [
    [413, '<html>too large</html>', 'http-error', /^the server answered 413 Payload Too Large$/],
    [460, '', 'http-error', /^the server answered 460( \S.*)?$/],
    [410, '{"code":"upload-gone","detail":"it is gone"}', 'upload-gone', /^it is gone$/],
    [201, '', 'not-gantry', /^what answers at \S+ is not Gantry$/],
  ] as const) {
    const client = await answering(t, status, body, body.startsWith('{') ? type : {});
    await assert.rejects(client.upload({ name: 'large.png', content }), (error) => {
      assert.ok(error instanceof ClientError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }
});

test('an upload that is locked, or taken over by another connection, is tried again', async (t) => {
  for (const [status, body] of [
    [423, ''],
    [409, '{"code":"offset-conflict","detail":"the upload stands elsewhere"}'],
    [409, '{"code":"upload-resumed","detail":"another request goes on"}'],
  ] as const) {
    const client = await answering(t, status, body, { 'content-type': 'application/problem+json' });
    const stop = new AbortController();
    let tries = 0;
    const call = () => client.upload({ name: 'large.png', content });
    const onRetry = () => {
      tries += 1;
      if (tries === 2) stop.abort();
    };
    await assert.rejects(persistently(call, stop.signal, onRetry), { status });
    assert.equal(tries, 2);
  }
});
