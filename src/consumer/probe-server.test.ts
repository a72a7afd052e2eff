import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createMetrics } from '../observability/metrics.ts';
import { probeServer } from './probe-server.ts';

test('answers what it knows, and no request ends it', async (t) => {
  let why: string | undefined;
  const context = { metrics: createMetrics('consumer'), observe: () => undefined, hindrance: () => why };
  const server = probeServer(context).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  /** The status of what is asked just like this, which `fetch` would put in order first. */
  const status = async (line: string): Promise<number> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${line} HTTP/1.1\r\nhost: gantry\r\nconnection: close\r\n\r\n`);
    return Number((await text(socket)).split(' ')[1]);
  };

  for (const line of ['GET //', 'GET ///x', 'GET http://', 'GET /%', 'GET /constructor', 'OPTIONS *'])
    assert.ok([400, 404].includes(await status(line)), line);
  assert.equal(await status('POST /metrics'), 404);
  for (const path of ['/healthz', '/readyz', '/metrics', '/metrics?x=1'])
    assert.equal(await status(`GET ${path}`), 200, path);
  why = 'shutting down';
  assert.deepEqual([await status('GET /healthz'), await status('GET /readyz')], [200, 503]);
});
