import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { connect } from 'amqplib';
import { rabbitMqMissing } from '../../test/services/rabbitmq.ts';
import { emptied, eventually, numbers, publishAll, settle, text } from './broker.probe.ts';
import type { Verdict } from './broker.ts';
import { type Bench, connected, openBroker } from './rabbitmq.testing.ts';
import { argumentsOf } from './rabbitmq-topology.ts';
import { deliveryLimit, exchange, noDeliveryLimit, topology } from './topology.ts';

/** What queues there are, who creates them, and who waits for them. */
export const queueCases = ({ server, virtualHost }: Bench): void => {
  suite('RabbitMQ queues', { skip: rabbitMqMissing() }, () => {
    test('are declared durable, with dead letters at least once and a delivery limit each', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      await connected(broker);
      const rabbit = await server();
      const queues = (await rabbit.api('GET', `queues/${host.name}`)) as {
        name: string;
        durable: boolean;
        arguments: Record<string, unknown>;
      }[];
      assert.deepEqual(queues.map(({ name }) => name).sort(), topology.map(({ name }) => name).sort());
      const found = new Map(queues.map((queue) => [queue.name, queue.arguments]));
      const toDeadLetters = (queue: string) => ({
        'x-queue-type': 'quorum',
        'x-dead-letter-exchange': 'gantry',
        'x-dead-letter-routing-key': queue,
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      });
      assert.deepEqual(found.get('images'), {
        ...toDeadLetters('images.dead'),
        'x-delivery-limit': deliveryLimit,
      });
      assert.deepEqual(found.get('images.retry.10s'), {
        ...toDeadLetters('images'),
        'x-message-ttl': 10_000,
        'x-delivery-limit': noDeliveryLimit,
      });
      for (const name of ['results', 'images.dead']) {
        assert.deepEqual(found.get(name), { 'x-queue-type': 'quorum', 'x-delivery-limit': noDeliveryLimit });
      }
    });

    test('a consumer whose queue is deleted and made anew in the same moment goes on', async (t) => {
      const host = await virtualHost();
      const { broker, settled } = openBroker(t, host.url);
      await settled();
      const taken: string[] = [];
      await broker.consume('images', { prefetch: 2 }, async (delivery) => {
        taken.push(text(delivery));
        return 'ack';
      });
      const connection = await connect(host.url);
      t.after(() => connection.close());
      const channel = await connection.createChannel();
      const [declared = assert.fail()] = topology;
      // Both on their way at once: the broker does not come to tell its consumers between the two.
      await Promise.all([
        channel.deleteQueue(declared.name),
        channel.assertQueue(declared.name, { durable: true, arguments: argumentsOf(declared) }),
        channel.bindQueue(declared.name, exchange, declared.name),
      ]);
      await broker.publish('images', Buffer.from('1'));
      await eventually('the message', async () => taken.length > 0);
      assert.deepEqual(taken, ['1']);
    });

    test('who does not declare creates nothing and waits for the queues', async (t) => {
      const host = await virtualHost();
      const waiting = [1, 2].map(() => openBroker(t, host.url, { declare: false }));
      const taken: string[] = [];
      for (const { broker } of waiting) {
        await broker.consume('images', { prefetch: 1 }, async (delivery) => {
          taken.push(text(delivery));
          return 'ack';
        });
      }
      await eventually('both to say that they wait', async () =>
        waiting.every(({ log }) => log.lines.some(({ missing }) => missing === 'gantry')),
      );
      const rabbit = await server();
      assert.deepEqual(await rabbit.api('GET', `queues/${host.name}`), []);
      assert.ok(waiting.every(({ broker }) => !broker.isConnected()));
      const { broker: web } = openBroker(t, host.url);
      await eventually('two consumers', async () => (await web.status('images')).consumers === 2);
      await web.publish('images', Buffer.from('1'));
      await eventually('a delivery', async () => taken.length === 1);
      await eventually('both connected', async () => waiting.every(({ broker }) => broker.isConnected()));
    });

    test('a queue of that name with other arguments is told and waited for', async (t) => {
      const host = await virtualHost();
      const rabbit = await server();
      await rabbit.api('PUT', `queues/${host.name}/images`, { durable: true });
      const { broker, log } = openBroker(t, host.url);
      await eventually('a log line', async () =>
        log.lines.some(({ reason }) =>
          /inequivalent arg 'x-[a-z-]+' for queue 'images'/.test(String(reason)),
        ),
      );
      await rabbit.api('DELETE', `queues/${host.name}/images`);
      await broker.publish('images', Buffer.from('1'));
    });

    test('what is acknowledged together takes nothing along that is at work still', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      await connected(broker);
      await publishAll(broker, 'images', numbers(6));
      const handed: string[] = [];
      const answers = new Map(numbers(6).map((name) => [name, Promise.withResolvers<Verdict>()]));
      await broker.consume('images', { prefetch: 6 }, async (delivery) => {
        handed.push(text(delivery));
        return delivery.redeliveries > 0 ? 'ack' : (answers.get(text(delivery))?.promise ?? 'ack');
      });
      await eventually('all deliveries', async () => handed.length === 6);
      for (const name of ['5', '1', '0', '4']) answers.get(name)?.resolve('ack');
      // By then the broker has seen the answers.
      await settle(broker);
      await (await server()).ctl('close_all_connections', '--vhost', host.name, 'by a test');
      await eventually('the redeliveries', async () => handed.length >= 8);
      await emptied(broker, 'images');
      assert.deepEqual(handed.slice(6).sort(), ['2', '3']);
    });
  });
};
