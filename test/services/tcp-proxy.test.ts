import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { startProxy } from './tcp-proxy.ts';

/** A server behind a proxy. `accept` is the server's end of the next connection. */
const behindProxy = async (t: TestContext) => {
  const waiting: ((socket: Socket) => void)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => {}));
    waiting.shift()?.(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await startProxy({ host: '127.0.0.1', port });
  t.after(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const connect = async (): Promise<{ client: Socket; far: Socket }> => {
    const accepted = new Promise<Socket>((resolve) => waiting.push(resolve));
    const client = createConnection({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true });
    sockets.add(client.on('error', () => {}));
    await once(client, 'connect');
    return { client, far: await accepted };
  };
  return { proxy, connect };
};

const received = async (socket: Socket): Promise<string> => {
  const [bytes] = await once(socket, 'data');
  return String(bytes);
};
const errorOf = async (socket: Socket): Promise<string | undefined> =>
  new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.once('end', () => resolve('ended'));
    socket.resume();
  });

test('bytes pass both ways, and an end of one side reaches the other', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const { client, far } = await connect();
  client.write('question');
  assert.equal(await received(far), 'question');
  far.write('answer');
  assert.equal(await received(client), 'answer');
  assert.equal(proxy.connections, 1);
  client.end('last words');
  assert.equal(await received(far), 'last words');
  await once(far, 'end');
  far.end();
  await once(client.resume(), 'close');
  while (proxy.connections > 0) await turn();
});

test('more than buffers hold passes whole to a slow reader', async (t) => {
  const { connect } = await behindProxy(t);
  const { client, far } = await connect();
  const sent = Buffer.alloc(32 << 20, 'x');
  client.end(sent);
  let bytes = 0;
  for await (const chunk of far) {
    bytes += (chunk as Buffer).length;
    await turn();
  }
  assert.equal(bytes, sent.length);
});

test('a cut resets both ends', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const { client, far } = await connect();
  const ends = Promise.all([errorOf(client), errorOf(far)]);
  proxy.cut();
  assert.deepEqual(await ends, ['ECONNRESET', 'ECONNRESET']);
});

test('a stall holds bytes of open and of new connections until it is over', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const old = await connect();
  proxy.stall();
  const young = await connect();
  const arrived: string[] = [];
  old.far.on('data', (bytes) => arrived.push(`old ${bytes}`));
  young.far.on('data', (bytes) => arrived.push(`young ${bytes}`));
  old.client.write('one');
  young.client.write('one');
  // What is not stalled passes meanwhile, so the bytes had the time.
  const other = await behindProxy(t);
  const { client, far } = await other.connect();
  for (let n = 0; n < 20; n++) {
    client.write('ping');
    await received(far);
  }
  assert.deepEqual(arrived, []);
  const both = Promise.all([once(old.far, 'data'), once(young.far, 'data')]);
  proxy.resume();
  await both;
  assert.deepEqual(arrived.sort(), ['old one', 'young one']);
});

test('of a half-open connection neither end learns anything; new ones work', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const { client, far } = await connect();
  const heard: string[] = [];
  for (const event of ['data', 'end', 'close', 'error']) {
    client.on(event, () => heard.push(`client ${event}`));
    far.on(event, () => heard.push(`far ${event}`));
  }
  const release = proxy.halfOpen();
  client.write('lost');
  far.write('lost');
  const fresh = await connect();
  fresh.client.write('ping');
  assert.equal(await received(fresh.far), 'ping');
  assert.deepEqual(heard, []);
  client.destroy();
  while (proxy.connections > 1) await turn();
  fresh.far.write('pong');
  assert.equal(await received(fresh.client), 'pong');
  assert.deepEqual(heard, ['client close']);
  const reset = errorOf(far);
  release();
  assert.equal(await reset, 'ECONNRESET');
  fresh.client.write('ping');
  assert.equal(await received(fresh.far), 'ping');
});

test('refused connections are reset; open ones go on', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const { client, far } = await connect();
  proxy.refuse(true);
  const refused = createConnection(proxy.port, '127.0.0.1');
  assert.equal(await errorOf(refused), 'ECONNRESET');
  client.write('still here');
  assert.equal(await received(far), 'still here');
  proxy.refuse(false);
  await connect();
});

test('a connection is cut after bytes that come in two pieces were handed on', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const { client, far } = await connect();
  const bystander = await connect();
  const fired = proxy.cutAfter('toServer', (bytes) => bytes.includes('commit'));
  client.write('com');
  assert.equal(await received(far), 'com');
  const reset = errorOf(client);
  client.write('mit');
  assert.equal(await received(far), 'mit');
  assert.equal(await fired, true);
  assert.equal(await reset, 'ECONNRESET');
  assert.equal(await errorOf(far), 'ended');
  bystander.client.write('commit');
  assert.equal(await received(bystander.far), 'commit');
  bystander.far.write('done');
  assert.equal(await received(bystander.client), 'done');
});

test('a connection is cut before an answer arrives', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const { client, far } = await connect();
  const heard: string[] = [];
  client.on('data', (bytes) => heard.push(String(bytes)));
  const reset = errorOf(client);
  const fired = proxy.cutBefore('toClient', (bytes) => bytes.includes('done'));
  client.write('done?');
  assert.equal(await received(far), 'done?');
  far.write('done');
  assert.equal(await fired, true);
  assert.equal(await reset, 'ECONNRESET');
  assert.deepEqual(heard, []);
});

test('what is disarmed does not fire', async (t) => {
  const { proxy, connect } = await behindProxy(t);
  const { client, far } = await connect();
  const fired = proxy.cutBefore('toServer', () => true);
  proxy.disarm();
  assert.equal(await fired, false);
  client.write('through');
  assert.equal(await received(far), 'through');
});
