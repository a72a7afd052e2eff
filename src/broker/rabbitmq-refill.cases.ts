import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rabbitMqMissing } from '../../test/services/rabbitmq.ts';
import { emptied, eventually, publishAll, take, text, within } from './broker.probe.ts';
import { type Bench, connected, openBroker } from './rabbitmq.testing.ts';

/** Counts how often it is told that the queue was created, and lets a test decide what each telling ends with. */
const emptiedListener = (answer: (time: number) => Promise<void> = async () => undefined) => {
  let told = 0;
  const listener = async () => {
    told += 1;
    await answer(told);
  };
  const times = (count: number) => eventually(`listener told ${count} times`, async () => told >= count);
  return { listener, times, told: () => told };
};

/** How the adapter learns that a queue had to be created, and sees to it that what was in it is put back. */
export const refillCases = ({ server, virtualHost }: Bench): void => {
  suite('RabbitMQ queue that was lost', { skip: rabbitMqMissing() }, () => {
    /** Whether the broker remembers that the queue was filled again. */
    const marked = async (vhost: string): Promise<boolean> => {
      const bindings = (await (await server()).api('GET', `bindings/${vhost}`)) as { source: string }[];
      return bindings.some(({ source }) => source === 'gantry.filled');
    };
    const noted = (vhost: string) => eventually('the mark', () => marked(vhost));

    test('the listener is told once for a queue, also if others connect later', async (t) => {
      const host = await virtualHost();
      const first = emptiedListener();
      const { broker } = openBroker(t, host.url);
      broker.onEmptied(first.listener);
      await first.times(1);
      await noted(host.name);
      const second = emptiedListener();
      const other = openBroker(t, host.url).broker;
      other.onEmptied(second.listener);
      await other.publish('images', Buffer.from('1'));
      await other.status('images');
      assert.deepEqual([first.told(), second.told()], [1, 0]);
    });

    test('a listener that fails is called again', async (t) => {
      const host = await virtualHost();
      const { broker, log } = openBroker(t, host.url);
      const failing = emptiedListener(async (time) => {
        assert.equal(await marked(host.name), false);
        if (time < 3) throw new Error('the store is away');
      });
      broker.onEmptied(failing.listener);
      await noted(host.name);
      assert.equal(failing.told(), 3);
      assert.ok(log.lines.some(({ reason }) => reason === 'the store is away'));
    });

    test('what a listener had not finished is told to whoever connects next', async (t) => {
      const host = await virtualHost();
      const never = emptiedListener(() => new Promise(() => undefined));
      const { broker } = openBroker(t, host.url);
      broker.onEmptied(never.listener);
      await never.times(1);
      await within(broker.close(), 'close');
      const next = emptiedListener();
      const { broker: other } = openBroker(t, host.url);
      await connected(other);
      other.onEmptied(next.listener);
      await next.times(1);
      await noted(host.name);
      assert.equal(next.told(), 1);
    });

    test('a queue deleted under a consumer and a publisher comes back', async (t) => {
      const host = await virtualHost();
      const { broker, settled } = openBroker(t, host.url);
      const refilled = emptiedListener();
      broker.onEmptied(refilled.listener);
      await noted(host.name);
      await settled();
      const taken: string[] = [];
      const gate = Promise.withResolvers<void>();
      await broker.consume('images', { prefetch: 2 }, async (delivery) => {
        taken.push(text(delivery));
        await gate.promise;
        return 'ack';
      });
      await publishAll(broker, 'images', ['lost']);
      await eventually('a delivery', async () => taken.length === 1);
      await (await server()).api('DELETE', `queues/${host.name}/images`);
      gate.resolve();
      await refilled.times(2);
      await noted(host.name);
      await broker.publish('images', Buffer.from('new'));
      await eventually('the new message', async () => taken.length === 2);
      assert.deepEqual(taken, ['lost', 'new']);
      await emptied(broker, 'images');
    });

    for (const how of ['publish', 'status'] as const) {
      test(`a deleted queue that only a ${how} notices comes back`, async (t) => {
        const host = await virtualHost();
        const { broker, settled } = openBroker(t, host.url);
        const refilled = emptiedListener();
        broker.onEmptied(refilled.listener);
        await noted(host.name);
        await settled();
        await (await server()).api('DELETE', `queues/${host.name}/images`);
        const noticed =
          how === 'publish' ? broker.publish('images', Buffer.from('1')) : broker.status('images');
        await assert.rejects(noticed, { code: 'unroutable' });
        await refilled.times(2);
        await broker.publish('images', Buffer.from('2'));
        assert.deepEqual((await take(broker, 'images', 1)).map(text), ['2']);
      });
    }

    test('a queue deleted and created by another hand is a new one', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      broker.onEmptied(emptiedListener().listener);
      await noted(host.name);
      await broker.close();
      const rabbit = await server();
      const found = (await rabbit.api('GET', `queues/${host.name}/images`)) as { arguments: unknown };
      await rabbit.api('DELETE', `queues/${host.name}/images`);
      await rabbit.api('PUT', `queues/${host.name}/images`, { durable: true, arguments: found.arguments });
      const told = emptiedListener();
      openBroker(t, host.url).broker.onEmptied(told.listener);
      await told.times(1);
    });

    test('a mark that was never bound to the queue says nothing', async (t) => {
      const host = await virtualHost();
      const unbound = { type: 'direct', durable: true, auto_delete: true, internal: true };
      await (await server()).api('PUT', `exchanges/${host.name}/gantry.filled`, unbound);
      const told = emptiedListener();
      openBroker(t, host.url).broker.onEmptied(told.listener);
      await told.times(1);
    });

    test('a deletion while the listener works is told again', async (t) => {
      const host = await virtualHost();
      const { broker, settled } = openBroker(t, host.url);
      const gate = Promise.withResolvers<void>();
      const slow = emptiedListener((time) => (time === 1 ? gate.promise : Promise.resolve()));
      broker.onEmptied(slow.listener);
      await slow.times(1);
      await settled();
      await (await server()).api('DELETE', `queues/${host.name}/images`);
      await assert.rejects(broker.status('images'), { code: 'unroutable' });
      await eventually('the queue', () =>
        broker.status('images').then(
          () => true,
          () => false,
        ),
      );
      gate.resolve();
      await slow.times(2);
      await noted(host.name);
    });
  });
};
