import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rabbitMqMissing } from '../../test/services/rabbitmq.ts';
import { startProxy } from '../../test/services/tcp-proxy.ts';
import { emptied, eventually, numbers, publishAll, settle, text, within } from './broker.probe.ts';
import type { Verdict } from './broker.ts';
import { type Bench, connected, openBroker } from './rabbitmq.testing.ts';

/** What the adapter does when connections, or the whole broker, go away and come back. The last cases stop the server. */
export const outageCases = ({ server, virtualHost }: Bench): void => {
  suite('RabbitMQ outages', { skip: rabbitMqMissing() }, () => {
    const behindProxy = async () => {
      const host = await virtualHost();
      const rabbit = await server();
      const proxy = await startProxy({ host: '127.0.0.1', port: rabbit.port });
      return { proxy, host, url: `amqp://guest:guest@127.0.0.1:${proxy.port}/${host.name}` };
    };

    test('after the broker closed all connections, consumers and publishers go on', async (t) => {
      const host = await virtualHost();
      const { broker, log } = openBroker(t, host.url);
      const taken: string[] = [];
      await broker.consume('images', { prefetch: 1 }, async (delivery) => {
        taken.push(text(delivery));
        return 'ack';
      });
      await publishAll(broker, 'images', ['1']);
      await eventually('a delivery', async () => taken.length === 1);
      await (await server()).ctl('close_all_connections', '--vhost', host.name, 'by a test');
      await eventually(
        'both losses',
        async () => log.lines.filter(({ msg }) => /lost/.test(msg)).length === 2,
      );
      await broker.publish('images', Buffer.from('2'));
      await eventually('a delivery', async () => taken.includes('2'));
      const shown = log.lines.map(({ level, msg, connection }) => `${level} ${msg} ${connection ?? ''}`);
      for (const connection of ['publish', 'consume']) {
        assert.deepEqual(
          shown.filter((line) => line.endsWith(connection)),
          [
            `info broker connected ${connection}`,
            `warn broker connection lost ${connection}`,
            `info broker connected ${connection}`,
          ],
        );
      }
      const lost = log.lines.find(({ msg }) => /lost/.test(msg));
      assert.match(String(lost?.reason), /by a test/);
      assert.match(String(lost?.host), /^127\.0\.0\.1:\d+$/);
    });

    test('what a handler answers on a lost connection has no effect; the message comes again', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      const { broker } = openBroker(t, url);
      const redeliveries: number[] = [];
      const gate = Promise.withResolvers<Verdict>();
      await broker.publish('images', Buffer.from('1'));
      const subscription = await broker.consume('images', { prefetch: 1 }, async (delivery) => {
        redeliveries.push(delivery.redeliveries);
        return redeliveries.length === 1 ? gate.promise : 'ack';
      });
      await eventually('a delivery', async () => redeliveries.length === 1);
      proxy.cut();
      await eventually('the redelivery', async () => redeliveries.length === 2);
      gate.resolve('dead-letter');
      await emptied(broker, 'images');
      await within(subscription.cancel(), 'cancel');
      assert.deepEqual(redeliveries, [0, 1]);
      assert.equal((await broker.status('images.dead')).messages, 0);
    });

    test('a subscription is cancelled while there is no connection', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      const { broker } = openBroker(t, url);
      const gate = Promise.withResolvers<Verdict>();
      let begun = 0;
      await broker.publish('images', Buffer.from('1'));
      const subscription = await broker.consume('images', { prefetch: 1 }, async () => {
        begun += 1;
        return gate.promise;
      });
      await eventually('a delivery', async () => begun === 1);
      proxy.refuse(true);
      proxy.cut();
      await eventually('the loss', async () => !broker.isConnected());
      let over = false;
      const cancelling = subscription.cancel().then(() => {
        over = true;
      });
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(over, false);
      gate.resolve('ack');
      await within(cancelling, 'cancel');
      proxy.refuse(false);
      await settle(broker);
      assert.equal(begun, 1);
      assert.equal((await broker.status('images')).messages, 1);
    });

    test('a consumer finds out that its connection is dead, though nobody closed it', async (t) => {
      const { proxy, host, url } = await behindProxy();
      t.after(() => proxy.close());
      const { broker, log } = openBroker(t, `${url}?heartbeat=1`);
      const taken: string[] = [];
      await broker.consume('images', { prefetch: 1 }, async (delivery) => {
        taken.push(text(delivery));
        return 'ack';
      });
      await connected(broker);
      proxy.halfOpen();
      const { broker: other } = openBroker(t, host.url);
      await other.publish('images', Buffer.from('1'));
      await eventually('the delivery', async () => taken.length > 0);
      assert.ok(log.lines.some(({ reason }) => reason === 'Heartbeat timeout'));
    });

    test('a connection that ends while a channel is being closed holds up nothing', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      // channel.close: class 20, method 40 (AMQP 0-9-1). The first is that of a look at the queues.
      const cut = proxy.cutBefore('toServer', (bytes) => bytes.includes(Buffer.from([0, 20, 0, 40])));
      const { broker } = openBroker(t, url, { publishTimeoutMs: 5_000 });
      await broker.publish('images', Buffer.from('1'));
      assert.equal(await cut, true);
    });

    test('hundreds of reconnections leave nothing behind', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      const { broker } = openBroker(t, url, { maxBackoffMs: 1 });
      // Not `images`: a message whose answers are cut off too often would leave it.
      const taken = new Set<string>();
      await broker.consume('results', { prefetch: 10 }, async (delivery) => {
        taken.add(text(delivery));
        return 'ack';
      });
      const arrived = (count: number) => eventually(`${count} messages`, async () => taken.size === count);
      const resources = () => {
        const counts: Record<string, number> = {};
        for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
        return { sockets: counts.TCPSocketWrap ?? 0, timers: counts.Timeout ?? 0 };
      };
      await broker.publish('results', Buffer.from('first'));
      await arrived(1);
      const before = resources();
      for (const body of numbers(300)) {
        // Whatever the other connection is just doing.
        proxy.cut();
        await broker.publish('results', Buffer.from(body));
      }
      await arrived(301);
      await eventually('the sockets and timers of before', async () => {
        const { sockets, timers } = resources();
        return sockets <= before.sockets && timers <= before.timers;
      });
      await emptied(broker, 'results');
      assert.equal((await broker.status('results')).consumers, 1);
    });

    test('a broker that is killed gives back what was unanswered and what waited', async (t) => {
      const rabbit = await server();
      const { broker, log } = openBroker(t, rabbit.amqpUrl);
      let refilled = 0;
      broker.onEmptied(async () => {
        refilled += 1;
      });
      const sent = numbers(50);
      await publishAll(broker, 'images', sent);
      const gate = Promise.withResolvers<Verdict>();
      const redelivered: string[] = [];
      const seen: string[] = [];
      await broker.consume('images', { prefetch: 5 }, async (delivery) => {
        seen.push(text(delivery));
        if (delivery.redeliveries > 0) redelivered.push(text(delivery));
        return gate.promise;
      });
      await eventually('five deliveries', async () => seen.length === 5);
      const mark = 'exchanges/%2F/gantry.filled/bindings/source';
      await eventually('the mark of a filled queue', async () =>
        rabbit.api('GET', mark).then(
          (bindings) => (bindings as unknown[]).length === 1,
          () => false,
        ),
      );
      await rabbit.kill();
      const patient = Promise.allSettled([broker.publish('images', Buffer.from('meanwhile'))]);
      await eventually('the loss', async () => !broker.isConnected());
      await rabbit.start();
      await connected(broker);
      assert.ok(['fulfilled', 'rejected'].includes((await patient)[0].status));
      await eventually('five deliveries again', async () => seen.length >= 10);
      assert.deepEqual(redelivered.slice(0, 5).sort(), ['0', '1', '2', '3', '4']);
      gate.resolve('ack');
      await emptied(broker, 'images');
      assert.deepEqual(new Set(sent.filter((body) => !seen.includes(body))), new Set());
      assert.equal(refilled, 1);
      for (const connection of ['publish', 'consume']) {
        const lines = log.lines.filter((line) => line.connection === connection && /lost/.test(line.msg));
        assert.equal(lines.length, 1, connection);
      }
    });

    test('a broker that lost its data has queues again, and says that they are empty', async (t) => {
      const rabbit = await server();
      const { broker } = openBroker(t, rabbit.amqpUrl, { publishTimeoutMs: 60_000 });
      const taken: string[] = [];
      let refilled = 0;
      broker.onEmptied(async () => {
        refilled += 1;
      });
      await publishAll(broker, 'images', ['lost']);
      await rabbit.kill();
      await rabbit.wipe();
      await broker.consume('images', { prefetch: 1 }, async (delivery) => {
        taken.push(text(delivery));
        return 'ack';
      });
      const before = refilled;
      const published = broker.publish('images', Buffer.from('kept'));
      await rabbit.start();
      await published;
      await eventually('the listener', async () => refilled === before + 1);
      await eventually('the delivery', async () => taken.length === 1);
      assert.deepEqual(taken, ['kept']);
    });
  });
};
