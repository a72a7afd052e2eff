import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { accepted, ended, events, fixture, upload } from '../acceptance/target.ts';
import { type Collector, collectorMissing, type Span, startCollector } from '../services/otel-collector.ts';
import { type RabbitMq, rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { type Gantry, type LogLine, startGantry } from '../start-gantry.ts';

const skip = collectorMissing() || rabbitMqMissing();

/** Spans of one trace as a tree: each under its parent, in the order of their beginnings. */
const tree = (spans: readonly Span[], parent: string, depth = 0): string[] =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .sort((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1))
    .flatMap((span) => [
      `${'  '.repeat(depth)}${span.name} (${span.service})`,
      ...tree(spans, span.spanId, depth + 1),
    ]);

suite('traces of an upload, over RabbitMQ, into a real Collector', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let collector: Collector;
  let rabbit: RabbitMq;
  let web: Gantry;
  let consumer: Gantry;

  before(async () => {
    [collector, rabbit] = await Promise.all([startCollector(), startRabbitMq()]);
    stack.defer(() => rabbit.dispose());
    stack.defer(() => collector.dispose());
    const dataDir = await mkdtemp(join(tmpdir(), 'gantry-traces-'));
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    const env = { GANTRY_AMQP_URL: rabbit.amqpUrl, GANTRY_WORKERS: '1' };
    web = await startGantry({ role: 'web', dataDir, env: { ...env, GANTRY_OTLP_URL: collector.url } });
    stack.defer(() => web.stop().then());
    // The variable that OpenTelemetry's own tools set.
    consumer = await startGantry({
      role: 'consumer',
      dataDir,
      env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    });
    stack.defer(() => consumer.stop().then());
  });
  after(() => stack.disposeAsync());

  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const caller = 'b7ad6b7169203331';
  let id: string;
  const ofTrace = (trace = traceId): Span[] => collector.spans.filter((span) => span.traceId === trace);
  const find = (name: string): Span => {
    const span = ofTrace().find((one) => one.name === name);
    assert.ok(span, `there is no span ${name}`);
    return span;
  };

  before(async () => {
    const listening = Promise.withResolvers<void>();
    const told = (async () => {
      const stream = events(`${web.url}/events`);
      const first = stream.next();
      listening.resolve();
      for (let { value, done } = await first; !done; { value, done } = await stream.next())
        if (value?.event === 'succeeded') return stream.return(undefined);
    })();
    await listening.promise;
    const traceparent = `00-${traceId}-${caller}-01`;
    const response = await upload(
      web.url,
      [{ name: 'chelsea.png', bytes: await fixture('cats/chelsea.png') }],
      { traceparent },
    );
    ({ correlationId: id } = (await response.json()) as { correlationId: string });
    await told;
    // Each process sends its own, in its own time.
    await collector.until(
      'the spans of consumer and notification',
      (spans) =>
        ['publish results', 'record', 'POST /upload'].every((wanted) =>
          spans.some(({ name }) => name === wanted),
        ) && spans.some(({ attributes }) => attributes['gantry.event'] === 'succeeded'),
    );
  });

  test('one trace, from the caller’s span to the notification', () => {
    const notified = tree(ofTrace(), caller).filter((line) => !line.includes('notify (gantry-web)'));
    assert.deepEqual(notified, [
      'POST /upload (gantry-web)',
      '  receive (gantry-web)',
      '  accept (gantry-web)',
      '  outbox (gantry-web)',
      '    publish images (gantry-web)',
      '      process images (gantry-consumer)',
      '        classify (gantry-consumer)',
      '          fetch (gantry-consumer)',
      '          decode (gantry-consumer)',
      '          infer (gantry-consumer)',
      '        publish results (gantry-consumer)',
      '          process results (gantry-web)',
      '            record (gantry-web)',
    ]);
    const last = ofTrace().find(
      ({ name, attributes }) => name === 'notify' && attributes['gantry.event'] === 'succeeded',
    );
    assert.equal(last?.parentSpanId, find('record').spanId);
  });

  test('spans of messages are as the messaging conventions say', () => {
    for (const queue of ['images', 'results']) {
      const [publish, process] = [find(`publish ${queue}`), find(`process ${queue}`)];
      assert.deepEqual([publish.kind, process.kind], [4, 5]);
      assert.deepEqual(
        process.links.map(({ spanId }) => spanId),
        [publish.spanId],
      );
      for (const [span, name, type] of [
        [publish, 'publish', 'send'],
        [process, 'process', 'process'],
      ] as const) {
        assert.equal(span.attributes['messaging.system'], 'rabbitmq');
        assert.equal(span.attributes['messaging.destination.name'], `gantry:${queue}`);
        assert.equal(span.attributes['messaging.rabbitmq.destination.routing_key'], queue);
        assert.equal(span.attributes['messaging.operation.name'], name);
        assert.equal(span.attributes['messaging.operation.type'], type);
        assert.ok(Number(span.attributes['messaging.message.body.size']) > 50);
      }
      assert.equal(publish.attributes['messaging.message.conversation_id'], id);
    }
    assert.equal(find('POST /upload').kind, 2);
    assert.equal(find('POST /upload').attributes['url.scheme'], 'http');
    assert.equal(Number(find('POST /upload').attributes['http.response.status_code']), 202);
  });

  test('log lines about the image carry the trace', () => {
    for (const { logs } of [web, consumer]) {
      const about = logs.filter((line) => line.imageId === id);
      assert.ok(about.length > 0);
      assert.deepEqual([...new Set(about.map((line) => line.traceId))], [traceId]);
    }
  });

  test('what is not sampled by the caller is not exported, and goes through all the same', async () => {
    const other = '1af7651916cd43dd8448eb211c80319c';
    const bytes = await fixture('cats/chelsea.png');
    const response = await upload(web.url, [{ name: 'a.png', bytes }], {
      traceparent: `00-${other}-${caller}-00`,
    });
    const { correlationId } = (await response.json()) as { correlationId: string };
    await ended(web.url, correlationId);
    const next = await accepted(web.url, 'cats/chelsea.png');
    await ended(web.url, next);
    await collector.until('a later trace', (spans) =>
      spans.some(({ name, attributes }) => name === 'record' && attributes['gantry.image.id'] === next),
    );
    assert.deepEqual(ofTrace(other), []);
  });

  test('an upload that is broken off has a span, too', async () => {
    const broken = '2af7651916cd43dd8448eb211c80319c';
    const socket = connect(Number(new URL(web.url).port), '127.0.0.1');
    const header = [
      'POST /upload HTTP/1.1',
      'host: localhost',
      'content-length: 1000',
      'content-type: multipart/form-data; boundary=b',
      `traceparent: 00-${broken}-${caller}-01`,
    ];
    const part = '--b\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\nhalf';
    await new Promise<unknown>((resolve) => socket.write(`${header.join('\r\n')}\r\n\r\n${part}`, resolve));
    socket.destroy();
    await collector.until('the span of the broken upload', (spans) =>
      spans.some(({ name, traceId }) => name === 'POST /upload' && traceId === broken),
    );
    const request = ofTrace(broken).find(({ name }) => name === 'POST /upload');
    assert.equal(Number(request?.attributes['http.response.status_code']), 499);
    const metrics = await (await fetch(`${web.url}/metrics`)).text();
    assert.match(metrics, /_count\{method="POST",route="\/upload",status="499"\} 1$/m);
  });

  test('a failure is an error in its span', async () => {
    const response = await fetch(`${web.url}/images/no-such-image/reprocess`, { method: 'POST' });
    assert.ok(response.status >= 400);
    await collector.until('the span of the refused request', (spans) =>
      spans.some(
        ({ name, attributes }) =>
          name === 'POST /images/:id/reprocess' && Number(attributes['http.response.status_code']) >= 400,
      ),
    );
  });
});

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
