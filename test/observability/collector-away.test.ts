import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { suite, test } from 'node:test';
import { accepted, ended } from '../acceptance/target.ts';
import { type Gantry, type LogLine, startGantry } from '../start-gantry.ts';

/** Uploads to a server with this collector, and waits for the result and for `told`; the server ends in good order. */
const uploadWith = async (url: string, told: (server: Gantry) => Promise<unknown>): Promise<LogLine[]> => {
  const server = await startGantry({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, GANTRY_WORKERS: '1' } });
  let code: number | null = null;
  try {
    const image = await ended(server.url, await accepted(server.url, 'cats/chelsea.png'));
    assert.equal(image.state, 'succeeded');
    await told(server);
  } finally {
    code = await server.stop();
  }
  assert.equal(code, 0);
  assert.ok(!server.logs.some(({ msg }) => msg.startsWith('shutdown phase')));
  return server.logs.filter(({ msg }) => msg.startsWith('traces '));
};

suite('a collector costs nothing but a line', () => {
  const line = (server: Gantry) => server.logged('traces cannot be exported', { level: 'warn' });

  test('that is away', async () => {
    // A port that nobody listens on.
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    taken.close();
    assert.equal((await uploadWith(`http://127.0.0.1:${port}`, line)).length, 1);
  });

  test('that takes connections and never answers', async (t) => {
    const open = new Set<Socket>();
    const mute = createServer((socket) => open.add(socket.resume().on('error', () => {})));
    mute.listen(0, '127.0.0.1');
    t.after(() => {
      mute.close();
      for (const socket of open) socket.destroy();
    });
    await once(mute, 'listening');
    const { port } = mute.address() as { port: number };
    assert.equal((await uploadWith(`http://127.0.0.1:${port}`, line)).length, 1);
  });

  test('that refuses for a while: the end of that is told too', async (t) => {
    let answered = 0;
    const answers = new EventTarget();
    const moody = createHttpServer((request, response) => {
      request.resume().on('end', () => response.writeHead(++answered > 3 ? 200 : 500).end());
      response.on('close', () => answers.dispatchEvent(new Event('answered')));
    });
    moody.listen(0, '127.0.0.1');
    t.after(() => moody.close().closeAllConnections());
    await once(moody, 'listening');
    const { port } = moody.address() as { port: number };
    const told = async (server: Gantry): Promise<void> => {
      for (let seen = answered; seen < 4; seen = answered) {
        const next = once(answers, 'answered');
        await accepted(server.url, 'cats/chelsea.png');
        if (answered === seen) await next;
      }
      await server.logged('traces are exported again');
    };
    const lines = await uploadWith(`http://127.0.0.1:${port}`, told);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        ['warn', 'traces cannot be exported'],
        ['info', 'traces are exported again'],
      ],
    );
  });

  test('whose address is none', async () => {
    const [{ msg, reason } = assert.fail()] = await uploadWith('http//secret@x', async () => {});
    assert.equal(msg, 'traces are not exported');
    assert.equal(reason, 'OTEL_EXPORTER_OTLP_ENDPOINT takes a URL such as http://collector:4318');
  });
});
