import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { rabbitMqMissing } from '../../test/services/rabbitmq.ts';
import { startProxy } from '../../test/services/tcp-proxy.ts';
import { emptied, eventually, numbers, publishAll, take, text, within } from './broker.probe.ts';
import { type Bench, connected, openBroker } from './rabbitmq.testing.ts';
import type { QueueName } from './topology.ts';

/** What becomes of a published message when something is in its way. */
export const publisherCases = ({ server, virtualHost }: Bench): void => {
  suite('RabbitMQ publisher', { skip: rabbitMqMissing() }, () => {
    const behindProxy = async () => {
      const host = await virtualHost();
      const rabbit = await server();
      const proxy = await startProxy({ host: '127.0.0.1', port: rabbit.port });
      return { proxy, host, url: `amqp://guest:guest@127.0.0.1:${proxy.port}/${host.name}` };
    };

    test('a message carries what the broker shows of it', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      const headers = { attempt: 2, traceparent: '00-ab-cd-01' };
      await broker.publish('images', Buffer.from('{}'), { correlationId: 'image-id', headers });
      const rabbit = await server();
      const [message] = (await rabbit.api('POST', `queues/${host.name}/images/get`, {
        count: 1,
        ackmode: 'ack_requeue_true',
        encoding: 'auto',
      })) as { exchange: string; payload: string; properties: Record<string, unknown> }[];
      assert.equal(message?.exchange, 'gantry');
      assert.equal(message.payload, '{}');
      const { message_id, timestamp, headers: shown, ...rest } = message.properties;
      assert.match(String(message_id), /^[0-9a-f-]{36}$/);
      assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 60);
      // The broker may add its own.
      assert.partialDeepStrictEqual(shown, headers);
      assert.deepEqual(rest, {
        correlation_id: 'image-id',
        delivery_mode: 2,
        content_type: 'application/json',
      });
    });

    test('of many in flight, those that came back reject, and no others', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      const nowhere = 'nowhere' as QueueName;
      const outcomes = await Promise.allSettled(
        numbers(1_000).map((body, index) =>
          broker.publish(index % 3 === 0 ? nowhere : 'images', Buffer.from(body)),
        ),
      );
      for (const [index, outcome] of outcomes.entries()) {
        if (index % 3 === 0) {
          assert.equal(outcome.status, 'rejected');
          assert.equal(outcome.reason.code, 'unroutable');
        } else assert.equal(outcome.status, 'fulfilled');
      }
      const kept = numbers(1_000).filter((_, index) => index % 3 !== 0);
      assert.deepEqual((await take(broker, 'images', kept.length, 100)).map(text), kept);
    });

    test('a queue that is full refuses', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      await connected(broker);
      await (await server()).api('PUT', `policies/${host.name}/full`, {
        pattern: '^images$',
        'apply-to': 'queues',
        definition: { 'max-length': 1 },
      });
      const full = async () => {
        const outcomes = await Promise.allSettled(
          numbers(20).map((body) => broker.publish('images', Buffer.from(body))),
        );
        return outcomes.some((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'refused');
      };
      await eventually('a refusal', full);
    });

    test('what no confirm came for is sent again on the next connection, in order', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      const { broker } = openBroker(t, url);
      await connected(broker);
      await publishAll(broker, 'images', ['first']);
      proxy.stall();
      const sent = numbers(200);
      const all = publishAll(broker, 'images', sent);
      proxy.cut();
      proxy.resume();
      await within(all, 'the confirms');
      const status = await broker.status('images');
      const taken = (await take(broker, 'images', status.messages, 50)).map(text);
      assert.deepEqual([...new Set(taken)], ['first', ...sent]);
    });

    test('a confirm that is lost with its connection costs a duplicate, not the message', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      const { broker } = openBroker(t, url);
      await connected(broker);
      // basic.ack: class 60, method 80 (AMQP 0-9-1).
      const lost = proxy.cutBefore('toClient', (bytes) => bytes.includes(Buffer.from([0, 60, 0, 80])));
      await broker.publish('images', Buffer.from('twice'));
      assert.equal(await lost, true);
      assert.deepEqual((await take(broker, 'images', 2)).map(text), ['twice', 'twice']);
      await emptied(broker, 'images');
    });

    test('a connection that confirms nothing any more is given up', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      const { broker, log } = openBroker(t, url, {
        publishTimeoutMs: 300,
        connectTimeoutMs: 2_000,
        heartbeat: 60,
      });
      await connected(broker);
      proxy.halfOpen();
      await assert.rejects(broker.publish('images', Buffer.from('1')), { code: 'timed-out' });
      await eventually('a new connection', async () =>
        log.lines.some(({ reason }) => reason === 'no confirm within 300 ms'),
      );
      await connected(broker);
      await broker.publish('images', Buffer.from('2'));
    });

    test('without a connection it gives up in time', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      proxy.refuse(true);
      const { broker } = openBroker(t, url, { publishTimeoutMs: 200 });
      broker.hint('images', Buffer.from('hint'));
      assert.equal(broker.isConnected(), false);
      await Promise.all([
        assert.rejects(broker.publish('images', Buffer.from('1')), { code: 'timed-out' }),
        assert.rejects(broker.status('images'), { code: 'timed-out' }),
      ]);
      const { broker: other } = openBroker(t, url);
      const waited = other.publish('images', Buffer.from('waited'));
      proxy.refuse(false);
      await within(waited, 'the connection');
      await connected(broker);
      assert.deepEqual((await take(other, 'images', 1)).map(text), ['waited']);
      await emptied(other, 'images');
    });

    test('an exchange that was deleted comes back, and no message is lost over it', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      await connected(broker);
      await (await server()).api('DELETE', `exchanges/${host.name}/gantry`);
      await within(publishAll(broker, 'images', numbers(10)), 'the confirms');
      assert.deepEqual([...new Set((await take(broker, 'images', 10)).map(text))], numbers(10));
    });

    test('a broker that blocks publishers takes acks, and messages once it has room', async (t) => {
      const host = await virtualHost();
      const rabbit = await server();
      const { broker, log } = openBroker(t, host.url, { publishTimeoutMs: 1_000 });
      await publishAll(broker, 'images', ['1', '2']);
      await rabbit.setMemoryWatermark(0);
      t.after(() => rabbit.setMemoryWatermark(0.4));
      await assert.rejects(broker.publish('results', Buffer.from('1')), { code: 'timed-out' });
      await eventually('the block', async () => !broker.isConnected());
      broker.hint('results', Buffer.from('hint'));
      await assert.rejects(broker.publish('results', Buffer.from('2')), { code: 'timed-out' });
      assert.deepEqual((await take(broker, 'images', 2)).map(text), ['1', '2']);
      await emptied(broker, 'images');
      await rabbit.setMemoryWatermark(0.4);
      await connected(broker);
      await broker.publish('results', Buffer.from('3'));
      const messages = log.lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
      assert.deepEqual(messages, ['the broker blocks publishers', 'the broker takes messages again']);
      // What was on its way when it blocked arrives late; what was held back and given up never does.
      const { messages: count } = await broker.status('results');
      const taken = (await take(broker, 'results', count)).map(text);
      assert.deepEqual(taken, ['1', '3']);
    });

    test('close waits for the confirms of what was published', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url);
      await connected(broker);
      const all = publishAll(broker, 'images', numbers(100));
      await Promise.all([within(all, 'the confirms'), broker.close()]);
      await assert.rejects(broker.publish('images', Buffer.from('late')), { code: 'closed' });
    });

    test('close without a connection rejects what waits, in bounded time', async (t) => {
      const { proxy, url } = await behindProxy();
      t.after(() => proxy.close());
      proxy.stall();
      const { broker } = openBroker(t, url);
      const waiting = assert.rejects(broker.publish('images', Buffer.from('1')), { code: 'closed' });
      await within(broker.close(), 'close');
      await waiting;
    });
  });
};
