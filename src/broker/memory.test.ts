import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { brokerContract } from './broker.contract.ts';
import { emptied, numbers, publishAll, take, text, within } from './broker.probe.ts';
import { memoryBroker } from './memory.ts';

brokerContract('memory', async ({ topology }) => {
  const broker = memoryBroker({ topology });
  return { broker, dispose: () => broker.close() };
});

suite('memory broker', () => {
  test('has the real queues unless told otherwise', async (t) => {
    const broker = memoryBroker();
    t.after(() => broker.close());
    await broker.publish('images', Buffer.from('1'));
    assert.deepEqual(await broker.status('images.retry.60s'), { ready: 0, messages: 0, consumers: 0 });
  });

  test('consumers take turns', async (t) => {
    const broker = memoryBroker();
    t.after(() => broker.close());
    const turns: string[] = [];
    const all = Promise.withResolvers<void>();
    for (const consumer of ['a', 'b', 'c']) {
      await broker.consume('images', { prefetch: 10 }, async () => {
        turns.push(consumer);
        if (turns.length === 9) all.resolve();
        return 'ack';
      });
    }
    await publishAll(broker, 'images', numbers(9));
    await within(all.promise, 'nine messages');
    assert.equal(turns.join(''), 'abcabcabc');
  });

  test('a body is copied: the publisher may use its buffer again', async (t) => {
    const broker = memoryBroker();
    t.after(() => broker.close());
    const body = Buffer.from('first');
    await broker.publish('images', body);
    body.write('other');
    assert.deepEqual((await take(broker, 'images', 1)).map(text), ['first']);
  });

  test('a handler that throws before it returns a promise counts as unanswered', async (t) => {
    const warnings: unknown[] = [];
    const log = { warn: (context: unknown) => void warnings.push(context) };
    const broker = memoryBroker({ log });
    t.after(() => broker.close());
    let calls = 0;
    await broker.publish('images', Buffer.from('1'));
    await broker.consume('images', { prefetch: 1 }, () => {
      calls += 1;
      if (calls === 1) throw new Error('at once');
      return Promise.resolve('ack');
    });
    await emptied(broker, 'images');
    assert.equal(calls, 2);
    assert.match(String((warnings[0] as { err: unknown }).err), /at once/);
  });

  test('a message dropped for want of a dead-letter queue is logged', async (t) => {
    const warnings: unknown[] = [];
    const broker = memoryBroker({ log: { warn: (context: unknown) => void warnings.push(context) } });
    t.after(() => broker.close());
    await broker.publish('results', Buffer.from('123'));
    await broker.consume('results', { prefetch: 1 }, async () => 'dead-letter');
    await emptied(broker, 'results');
    assert.deepEqual(warnings, [{ queue: 'results', reason: 'rejected', bytes: 3 }]);
  });

  test('what a handler answers after close has no effect', async () => {
    const warnings: unknown[] = [];
    const broker = memoryBroker({ log: { warn: (context: unknown) => void warnings.push(context) } });
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<'dead-letter'>();
    let calls = 0;
    await publishAll(broker, 'images', ['1', '2']);
    const subscription = await broker.consume('images', { prefetch: 1 }, () => {
      calls += 1;
      begun.resolve();
      return gate.promise;
    });
    await within(begun.promise, 'a handler');
    await broker.close();
    gate.resolve('dead-letter');
    await within(subscription.cancel(), 'cancel');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, 1);
    assert.deepEqual(warnings, []);
  });

  test('a listener that fails is logged', async (t) => {
    const warned = Promise.withResolvers<unknown>();
    const broker = memoryBroker({ log: { warn: (context: unknown) => warned.resolve(context) } });
    t.after(() => broker.close());
    broker.onEmptied(async () => {
      throw new Error('the store is away');
    });
    const { err } = (await within(warned.promise, 'a warning')) as { err: unknown };
    assert.match(String(err), /the store is away/);
  });

  test('100,000 waiting messages leave in order', async (t) => {
    const broker = memoryBroker();
    t.after(() => broker.close());
    const sent = numbers(100_000);
    await publishAll(broker, 'images', sent);
    assert.equal((await broker.status('images')).messages, 100_000);
    assert.deepEqual((await take(broker, 'images', 100_000, 1_000)).map(text), sent);
  });

  test('a prefetch of less than one is refused', async (t) => {
    const broker = memoryBroker();
    t.after(() => broker.close());
    await assert.rejects(
      broker.consume('images', { prefetch: 0 }, async () => 'ack'),
      RangeError,
    );
  });
});
