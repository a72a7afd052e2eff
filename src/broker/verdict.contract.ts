import assert from 'node:assert/strict';
import { emptied, eventually, numbers, publishAll, take, text, within } from './broker.probe.ts';
import type { Broker, Headers } from './broker.ts';

/** The part of the broker's contract about what becomes of a delivered message, and of one that waits too long. */
export const verdictCases = (check: (what: string, run: (broker: Broker) => Promise<void>) => void): void => {
  check('ack removes a message', async (broker) => {
    await publishAll(broker, 'images', ['1', '2']);
    await take(broker, 'images', 1);
    assert.deepEqual((await take(broker, 'images', 1)).map(text), ['2']);
    await emptied(broker, 'images');
  });

  check('dead-letter moves a message to the dead-letter queue', async (broker) => {
    await publishAll(broker, 'images', ['1', '2']);
    await broker.consume('images', { prefetch: 1 }, async (delivery) =>
      text(delivery) === '1' ? 'dead-letter' : 'ack',
    );
    const [dead] = await take(broker, 'images.dead', 1);
    assert.equal(dead && text(dead), '1');
    await emptied(broker, 'images');
    await emptied(broker, 'images.dead');
  });

  check('dead-letter drops a message where there is no dead-letter queue', async (broker) => {
    await publishAll(broker, 'results', ['1', '2']);
    const second = Promise.withResolvers<string>();
    await broker.consume('results', { prefetch: 1 }, async (delivery) => {
      if (text(delivery) === '1') return 'dead-letter';
      second.resolve(text(delivery));
      return 'ack';
    });
    assert.equal(await within(second.promise, 'the second message'), '2');
    await emptied(broker, 'results');
  });

  check('a handler that throws gets the message again', async (broker) => {
    const redeliveries: number[] = [];
    const acknowledged = Promise.withResolvers<void>();
    await broker.publish('images', Buffer.from('1'));
    await broker.consume('images', { prefetch: 1 }, async (delivery) => {
      redeliveries.push(delivery.redeliveries);
      if (delivery.redeliveries === 0) throw new Error('once');
      acknowledged.resolve();
      return 'ack';
    });
    await within(acknowledged.promise, 'the redelivery');
    assert.deepEqual(redeliveries, [0, 1]);
    await emptied(broker, 'images');
  });

  check('deliveries without an answer beyond the limit dead-letter a message', async (broker) => {
    const redeliveries: number[] = [];
    await broker.publish('images', Buffer.from('poison'));
    await broker.consume('images', { prefetch: 1 }, async (delivery) => {
      redeliveries.push(delivery.redeliveries);
      throw new Error('always');
    });
    const [dead] = await take(broker, 'images.dead', 1);
    assert.equal(dead && text(dead), 'poison');
    assert.equal(dead?.redeliveries, 0);
    assert.deepEqual(redeliveries, [0, 1, 2]);
    await emptied(broker, 'images');
  });

  check('headers come along, also through a retry queue and into the dead-letter queue', async (broker) => {
    const headers = { attempt: 2, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    await broker.publish('images.retry.1s', Buffer.from('1'), { correlationId: 'one', headers });
    const inImages = Promise.withResolvers<Headers>();
    await broker.consume('images', { prefetch: 1 }, async (delivery) => {
      inImages.resolve(delivery.headers);
      return 'dead-letter';
    });
    assert.deepEqual(await within(inImages.promise, 'the message'), headers);
    const [dead] = await take(broker, 'images.dead', 1);
    assert.deepEqual(dead?.headers, headers);
    broker.hint('results', Buffer.from('hint'));
    const [hint] = await take(broker, 'results', 1);
    assert.deepEqual(hint?.headers, {});
  });

  check('a message that waited its time moves on, in order', async (broker) => {
    await publishAll(broker, 'images.retry.1s', numbers(5));
    await broker.publish('images.retry.10s', Buffer.from('later'));
    assert.deepEqual((await take(broker, 'images', 5)).map(text), numbers(5));
    await emptied(broker, 'images.retry.1s');
    await eventually('the other', async () => (await broker.status('images.retry.10s')).messages === 1);
  });
};
