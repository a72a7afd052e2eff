import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ended, type ImageJson, json, upload } from '../acceptance/target.ts';
import { plainPicture, poisonModel } from '../poison.ts';
import type { Collector, Span } from '../services/otel-collector.ts';
import type { Gantry } from '../start-gantry.ts';
import {
  caller,
  startTracedSystem,
  type TracedSystem,
  traceparentOf,
  tracingMissing,
} from './traced-system.ts';

const traceOf = (digit: number): string => String(digit).repeat(32);
const traceparent = (digit: number) => traceparentOf(traceOf(digit));

suite('traces of what is done again, over RabbitMQ', { skip: tracingMissing }, () => {
  let system: TracedSystem;
  let collector: Collector;
  let web: Gantry;

  before(async () => {
    system = await startTracedSystem({
      ...{ GANTRY_MODEL: poisonModel, GANTRY_MAX_ATTEMPTS: '1', GANTRY_JOB_DEADLINE: '2s' },
    });
    ({ collector, web } = system);
  });
  after(() => system[Symbol.asyncDispose]());

  /** Uploads a picture of this colour and returns its ID. */
  const uploaded = async (colour: string, headers: Record<string, string>): Promise<string> => {
    const response = await upload(web.url, [await plainPicture('a.png', colour)], headers);
    assert.equal(response.status, 202);
    return ((await response.json()) as { correlationId: string }).correlationId;
  };
  /** The span of this name of an image's generation, once it has arrived. */
  const spanOf = async (name: string, id: string, generation = 1): Promise<Span> => {
    const wanted = (span: Span): boolean =>
      span.name === name &&
      span.attributes['gantry.image.id'] === id &&
      Number(span.attributes['gantry.generation'] ?? generation) === generation;
    await collector.until(`${name} of generation ${generation}`, (spans) => spans.some(wanted));
    return collector.spans.findLast(wanted) ?? assert.fail();
  };
  const linked = ({ links }: Span) => links.map(({ traceId, spanId }) => [traceId, spanId]);
  /** How the story of a generation ended: the span in which it was recorded. */
  const recorded = async (id: string, traceId: string): Promise<Span> => {
    const wanted = (span: Span) => span.name === 'record' && span.traceId === traceId;
    await collector.until(`the end of ${id} in ${traceId}`, (spans) => spans.some(wanted));
    return collector.spans.find(wanted) ?? assert.fail();
  };

  /** Waits until a consumer has told of its work in this trace. */
  const processed = (traceId: string): Promise<void> =>
    collector.until(`a consumer's span in ${traceId}`, (spans) =>
      spans.some((span) => span.name === 'process images' && span.traceId === traceId),
    );

  test('a replay belongs to who asked for it, and is linked to how the image died', async () => {
    const id = await uploaded('#ffffff', traceparent(1));
    assert.equal((await ended(web.url, id)).state, 'dead');
    const died = await recorded(id, traceOf(1));
    const init = { method: 'POST', headers: traceparent(2) };
    const replayed = await json<ImageJson>(await fetch(`${web.url}/dead-letters/${id}/replay`, init));
    assert.equal(replayed.generation, 2);
    const diedAgain = await recorded(id, traceOf(2));
    const outbox = await spanOf('outbox', id, 2);
    assert.deepEqual([outbox.traceId, linked(outbox)], [traceOf(2), [[traceOf(1), died.spanId]]]);
    await processed(traceOf(2));

    // Of many at once each has a trace of its own: one for them all would be of no use.
    const all = await fetch(`${web.url}/dead-letters/replay`, { method: 'POST', headers: traceparent(3) });
    assert.deepEqual(await all.json(), { replayed: 1 });
    const alone = await spanOf('outbox', id, 3);
    assert.deepEqual(
      [alone.parentSpanId, linked(alone)],
      ['', [[traceOf(2), diedAgain.spanId]]],
      'neither of the request that woke the relay nor of anything else',
    );
    await recorded(id, alone.traceId);
  });

  test('what a killed consumer had is worked on in the same trace', async (t) => {
    const id = await uploaded('#000000', traceparent(4));
    while ((await json<ImageJson>(await fetch(`${web.url}/images/${id}`))).state !== 'processing');
    system.consumer.process.kill('SIGKILL');
    await system.consumer.stop();
    const next = await system.startConsumer();
    t.after(() => next.stop());
    await recorded(id, traceOf(4));
    await processed(traceOf(4));
    const ofTrace = collector.spans.filter(({ traceId }) => traceId === traceOf(4));
    const find = (name: string) => ofTrace.find((span) => span.name === name) ?? assert.fail(name);
    assert.deepEqual(linked(find('process images')), [[traceOf(4), find('publish images').spanId]]);
    assert.deepEqual(linked(find('process images.dead')), [[traceOf(4), find('publish images.dead').spanId]]);
  });

  test('what is no traceparent begins a trace, however large it is', async () => {
    const tracestate = `a=${'b'.repeat(5000)}`;
    for (const wrong of ['x', `00-${traceOf(0)}-${caller}-01`, 'f'.repeat(6000)]) {
      const id = await uploaded('#ffffff', { traceparent: wrong, tracestate });
      const outbox = await spanOf('outbox', id);
      assert.match(outbox.traceId, /^(?!0+$)[0-9a-f]{32}$/);
      const isRequest = ({ spanId }: Span) => spanId === outbox.parentSpanId;
      await collector.until('the request', (spans) => spans.some(isRequest));
      const request = collector.spans.find(isRequest);
      assert.deepEqual([request?.name, request?.parentSpanId], ['POST /upload', '']);
    }
  });
});
