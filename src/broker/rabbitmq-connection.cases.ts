import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { freePorts } from '../../test/services/free-port.ts';
import { rabbitMqMissing } from '../../test/services/rabbitmq.ts';
import { startProxy } from '../../test/services/tcp-proxy.ts';
import { eventually } from './broker.probe.ts';
import { type Bench, connected, makeCertificates, openBroker, type TestLog } from './rabbitmq.testing.ts';

const reason = (log: TestLog, pattern: RegExp) =>
  eventually(`a log line like ${pattern}`, async () =>
    log.lines.some((line) => pattern.test(String(line.reason))),
  );

/** How the adapter finds its broker and shows who it is. `ca` is the file of the server's authority. */
export const connectionCases = ({ server, virtualHost }: Bench, ca: () => Promise<string>): void => {
  suite('RabbitMQ connection', { skip: rabbitMqMissing() }, () => {
    test('of several hosts, one that answers is enough; the others are told of', async (t) => {
      const host = await virtualHost();
      const rabbit = await server();
      const [dead] = await freePorts(1);
      const url = `amqp://guest:guest@127.0.0.1:${dead},127.0.0.1:${rabbit.port}/${host.name}`;
      const { broker, log } = openBroker(t, url);
      await broker.publish('images', Buffer.from('1'));
      await reason(log, /ECONNREFUSED/);
      assert.ok(log.lines.some((line) => line.host === `127.0.0.1:${rabbit.port}`));
    });

    test('goes on with another host when the one in use is lost', async (t) => {
      const host = await virtualHost();
      const rabbit = await server();
      const target = { host: '127.0.0.1', port: rabbit.port };
      const first = await startProxy(target);
      const second = await startProxy(target);
      t.after(() => second.close());
      const url = `amqp://guest:guest@127.0.0.1:${first.port},127.0.0.1:${second.port}/${host.name}`;
      const { broker } = openBroker(t, url);
      await connected(broker);
      assert.equal(second.connections, 0);
      await first.close();
      await broker.publish('images', Buffer.from('1'));
      assert.ok(second.connections > 0);
    });

    test('a wrong password is told without it, and tried again until it is right', async (t) => {
      const host = await virtualHost();
      const rabbit = await server();
      const name = `user-${host.name}`;
      await rabbit.api('PUT', `users/${name}`, { password: 'another', tags: '' });
      await rabbit.api('PUT', `permissions/${host.name}/${name}`, {
        configure: '.*',
        write: '.*',
        read: '.*',
      });
      t.after(() => rabbit.api('DELETE', `users/${name}`));
      const url = `amqp://${name}:geheim@127.0.0.1:${rabbit.port}/${host.name}`;
      const { broker, log } = openBroker(t, url, { maxBackoffMs: 1 });
      await reason(log, /ACCESS[-_]REFUSED/);
      await eventually('several tries', async () => {
        const tries = (await rabbit.logTail(500)).match(new RegExp(`refused: user '${name}'`, 'g'));
        return tries !== null && tries.length > 5;
      });
      const refusals = () =>
        log.lines.filter((line) => line.connection === 'publish' && line.level === 'warn').length;
      await eventually('the refusal of the connection that publishes', async () => refusals() > 0);
      await rabbit.api('PUT', `users/${name}`, { password: 'geheim', tags: '' });
      await broker.publish('images', Buffer.from('1'));
      assert.doesNotMatch(JSON.stringify(log.lines), /geheim/);
      assert.equal(refusals(), 1);
    });

    test('user and password come from the options before the URL', async (t) => {
      const host = await virtualHost();
      const rabbit = await server();
      const url = `amqp://nobody:wrong@127.0.0.1:${rabbit.port}/${host.name}`;
      const { broker } = openBroker(t, url, {
        credentials: () => ({ username: 'guest', password: 'guest' }),
      });
      await broker.publish('images', Buffer.from('1'));
    });

    test('shows its name and purpose in the pages of the broker', async (t) => {
      const host = await virtualHost();
      const { broker } = openBroker(t, host.url, { name: 'gantry web host:1' });
      await connected(broker);
      await broker.status('images');
      const listed = await (await server()).ctl('list_connections', 'vhost', 'client_properties');
      const mine = listed.split('\n').filter((line) => line.includes(host.name));
      assert.equal(mine.length, 2);
      for (const purpose of ['publish', 'consume']) {
        assert.ok(
          mine.some((line) => line.includes(`"gantry web host:1 ${purpose}"`)),
          listed,
        );
      }
    });

    test('a host that takes connections but says nothing is given up', async (t) => {
      const host = await virtualHost();
      const rabbit = await server();
      const silent = await startProxy({ host: '127.0.0.1', port: rabbit.port });
      t.after(() => silent.close());
      silent.stall();
      const url = `amqp://127.0.0.1:${silent.port},127.0.0.1:${rabbit.port}/${host.name}`;
      const { broker, log } = openBroker(t, url, { connectTimeoutMs: 500 });
      await broker.publish('images', Buffer.from('1'));
      await reason(log, /^no answer within 500 ms$/);
      // What had not been closed would now be a connection.
      silent.resume();
      await eventually('its sockets to be closed', async () => silent.connections === 0);
    });

    test('amqps is checked against the given authority', async (t) => {
      const host = await virtualHost();
      const { tlsPort } = await server();
      const url = `amqps://localhost:${tlsPort}/${host.name}`;
      const { broker } = openBroker(t, url, { ca: await readFile(await ca(), 'utf8') });
      await broker.publish('images', Buffer.from('1'));
    });

    test('amqps refuses an unknown authority and another name', async (t) => {
      const host = await virtualHost();
      const { tlsPort } = await server();
      const other = await makeCertificates();
      t.after(other.remove);
      const unknown = openBroker(t, `amqps://localhost:${tlsPort}/${host.name}`, {
        ca: await readFile(other.ca, 'utf8'),
      });
      const named = openBroker(t, `amqps://127.0.0.1:${tlsPort}/${host.name}`, {
        ca: await readFile(await ca(), 'utf8'),
      });
      await reason(unknown.log, /unable to verify|self.signed|certificate/i);
      await reason(named.log, /IP: 127\.0\.0\.1 is not in the cert|altnames/i);
      assert.ok(!unknown.broker.isConnected() && !named.broker.isConnected());
    });
  });
};
