import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { emptied, eventually, numbers, publishAll, take, text, within } from './broker.probe.ts';
import type { Broker, Verdict } from './broker.ts';
import { subscriptionCases } from './subscription.contract.ts';
import { noDeliveryLimit, type Queue, type QueueName } from './topology.ts';
import { verdictCases } from './verdict.contract.ts';

export interface OpenBroker {
  readonly broker: Broker;
  /** Closes what is still open and deletes the queues. */
  dispose(): Promise<void>;
}
/** Opens a broker whose queues are exactly `topology`, all of them fresh and empty. */
export type OpenBrokerForTest = (options: { topology: readonly Queue[] }) => Promise<OpenBroker>;

/** The real queues with waiting times that suit a test. `images.retry.60s` is left out: nothing leads there. */
const topology: readonly Queue[] = [
  { name: 'images', deadLetterTo: 'images.dead', deliveryLimit: 2 },
  { name: 'results', deliveryLimit: noDeliveryLimit },
  { name: 'images.dead', deliveryLimit: noDeliveryLimit },
  { name: 'images.retry.1s', ttlMs: 50, deadLetterTo: 'images', deliveryLimit: noDeliveryLimit },
  { name: 'images.retry.10s', ttlMs: 600_000, deadLetterTo: 'images', deliveryLimit: noDeliveryLimit },
];
const nowhere: QueueName = 'images.retry.60s';

/** Every broker does this. `name` heads the suite; `skip` says why it cannot run here. */
export const brokerContract = (name: string, open: OpenBrokerForTest, skip: string | false = false): void => {
  const check = (what: string, run: (broker: Broker) => Promise<void>) =>
    test(what, async () => {
      const { broker, dispose } = await open({ topology });
      try {
        await run(broker);
      } finally {
        await dispose();
      }
    });

  suite(`broker contract: ${name}`, { skip }, () => {
    check(
      'messages arrive in the order of their publishing, the first time with no redelivery',
      async (broker) => {
        await publishAll(broker, 'images', numbers(20));
        const taken = await take(broker, 'images', 20);
        assert.deepEqual(taken.map(text), numbers(20));
        assert.deepEqual(new Set(taken.map((delivery) => delivery.redeliveries)), new Set([0]));
      },
    );

    check('publish returns before a handler runs', async (broker) => {
      let running = false;
      await broker.consume('images', { prefetch: 1 }, async () => {
        running = true;
        return 'ack';
      });
      const published = broker.publish('images', Buffer.from('1'));
      assert.equal(running, false);
      await published;
    });

    check('a body is bytes: every value, none at all, more than a frame', async (broker) => {
      const bodies = [
        Buffer.from(Array.from({ length: 256 }, (_, value) => value)),
        Buffer.alloc(0),
        Buffer.alloc(300_000, 'gantry\0'),
      ];
      for (const body of bodies) await broker.publish('images', body);
      const taken = await take(broker, 'images', 3);
      for (const [index, body] of bodies.entries()) {
        assert.ok(body.equals(taken[index]?.body ?? Buffer.from('missing')), `body ${index}`);
      }
    });

    subscriptionCases(check);
    verdictCases(check);

    check(
      'a queue that does not exist: publish rejects, hint does nothing, both go on working',
      async (broker) => {
        await assert.rejects(broker.publish(nowhere, Buffer.from('1')), { code: 'unroutable' });
        broker.hint(nowhere, Buffer.from('1'));
        await broker.publish('images', Buffer.from('2'));
        assert.deepEqual((await take(broker, 'images', 1)).map(text), ['2']);
      },
    );

    check('a hint arrives', async (broker) => {
      broker.hint('results', Buffer.from('hint'));
      assert.deepEqual((await take(broker, 'results', 1)).map(text), ['hint']);
    });

    check('after close nothing is taken and nothing delivered', async (broker) => {
      let delivered = 0;
      await broker.close();
      await assert.rejects(broker.publish('images', Buffer.from('1')), { code: 'closed' });
      broker.hint('images', Buffer.from('1'));
      await assert.rejects(async () => {
        await broker.consume('images', { prefetch: 1 }, async () => {
          delivered += 1;
          return 'ack';
        });
      });
      await broker.close();
      assert.equal(delivered, 0);
    });

    check('status counts what waits, what is unanswered, and consumers', async (broker) => {
      const counts = (ready: number, messages: number, consumers: number) =>
        eventually(`${ready} of ${messages} messages, ${consumers} consumers`, async () =>
          isDeepStrictEqual(await broker.status('images'), { ready, messages, consumers }),
        );
      await counts(0, 0, 0);
      await publishAll(broker, 'images', numbers(3));
      await counts(3, 3, 0);
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<Verdict>();
      const subscription = await broker.consume('images', { prefetch: 1 }, async () => {
        begun.resolve();
        return gate.promise;
      });
      await within(begun.promise, 'a handler');
      await counts(2, 3, 1);
      gate.resolve('ack');
      await counts(0, 0, 1);
      await subscription.cancel();
      await counts(0, 0, 0);
    });

    check('10,000 messages arrive once each, in order', async (broker) => {
      const sent = numbers(10_000);
      const [taken] = await Promise.all([
        take(broker, 'images', sent.length, 100),
        publishAll(broker, 'images', sent),
      ]);
      assert.deepEqual(taken.map(text), sent);
      await emptied(broker, 'images');
    });

    check(
      'who asks is told that the queue was created, and not before it can have noted it',
      async (broker) => {
        const told = Promise.withResolvers<void>();
        let registered = false;
        broker.onEmptied(async () => {
          if (registered) told.resolve();
          else told.reject(new Error('told within the call'));
        });
        registered = true;
        await within(told.promise, 'the listener');
      },
    );

    check('a listener that fails does no harm', async (broker) => {
      const told = Promise.withResolvers<void>();
      broker.onEmptied(async () => {
        told.resolve();
        throw new Error('the store is away');
      });
      await within(told.promise, 'the listener');
      await broker.publish('images', Buffer.from('1'));
      assert.deepEqual((await take(broker, 'images', 1)).map(text), ['1']);
    });

    check('properties do not touch the body', async (broker) => {
      const properties = { correlationId: 'image', headers: { attempt: 2, traceparent: '00-ab-cd-01' } };
      await broker.publish('images', Buffer.from('1'), properties);
      assert.deepEqual((await take(broker, 'images', 1)).map(text), ['1']);
    });

    check('it is connected until it is closed', async (broker) => {
      await broker.publish('images', Buffer.from('1'));
      assert.equal(broker.isConnected(), true);
      await broker.close();
      assert.equal(broker.isConnected(), false);
      await assert.rejects(broker.status('images'), { code: 'closed' });
    });
  });
};
