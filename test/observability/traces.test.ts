import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { accepted, ended, events, fixture, upload } from '../acceptance/target.ts';
import type { Collector, Span } from '../services/otel-collector.ts';
import type { Gantry } from '../start-gantry.ts';
import {
  caller,
  startTracedSystem,
  type TracedSystem,
  traceparentOf,
  tracingMissing,
} from './traced-system.ts';

/** Spans of one trace as a tree: each under its parent, in the order of their beginnings. */
const tree = (spans: readonly Span[], parent: string, depth = 0): string[] =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .sort((a, b) => (BigInt(a.startTimeUnixNano) < BigInt(b.startTimeUnixNano) ? -1 : 1))
    .flatMap((span) => [
      `${'  '.repeat(depth)}${span.name} (${span.service})`,
      ...tree(spans, span.spanId, depth + 1),
    ]);

suite('traces of an upload, over RabbitMQ, into a real Collector', { skip: tracingMissing }, () => {
  let system: TracedSystem;
  let collector: Collector;
  let web: Gantry;

  before(async () => {
    system = await startTracedSystem();
    ({ collector, web } = system);
  });
  after(() => system[Symbol.asyncDispose]());

  const traceId = '0af7651916cd43dd8448eb211c80319c';
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
    const response = await upload(
      web.url,
      [{ name: 'chelsea.png', bytes: await fixture('cats/chelsea.png') }],
      traceparentOf(traceId),
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
    for (const { logs } of [web, system.consumer]) {
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
