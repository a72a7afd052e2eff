import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseAmqpUrl } from './rabbitmq-address.ts';

const parse = (url: string, given: { username?: string; password?: string } = {}) =>
  parseAmqpUrl(url, { heartbeatSeconds: 10, ...given });

suite('AMQP URL', () => {
  test('says everything', () => {
    assert.deepEqual(parse('amqps://us%40er:p%3Ass@one:1,two,[::1]:3/a%2Fb?heartbeat=5'), {
      protocol: 'amqps',
      hosts: [
        { hostname: 'one', port: 1 },
        { hostname: 'two', port: 5671 },
        { hostname: '::1', port: 3 },
      ],
      vhost: 'a/b',
      username: 'us@er',
      password: 'p:ss',
      heartbeatSeconds: 5,
    });
  });

  test('has the defaults of the protocol', () => {
    const expected = {
      protocol: 'amqp',
      hosts: [{ hostname: 'localhost', port: 5672 }],
      vhost: '/',
      username: 'guest',
      password: 'guest',
      heartbeatSeconds: 10,
    };
    for (const url of ['amqp://', 'amqp://localhost', 'amqp://localhost/', 'AMQP://localhost:5672/%2F']) {
      assert.deepEqual(parse(url), expected, url);
    }
  });

  test('what is given comes before it', () => {
    const { username, password } = parse('amqp://a:b@h', { username: 'c', password: 'd' });
    assert.deepEqual([username, password], ['c', 'd']);
    assert.equal(parse('amqp://a:b@h', { password: 'd' }).username, 'a');
    assert.equal(parse('amqp://a@h').password, '');
  });

  test('that is none is refused without being repeated', () => {
    for (const url of [
      'http://u:geheim@h',
      'amqp:u:geheim@h',
      'amqp://u:geheim@h:0',
      'amqp://u:geheim@h:65536',
      'amqp://u:geheim@h:5672:1',
      'amqp://u:geheim@h,',
      'amqp://u:geheim%@h',
      'amqp://u:geheim@h?heartbeat=soon',
      'amqp://u:gehe@im@h',
    ]) {
      assert.throws(
        () => parse(url),
        (error: Error & { code?: string }) =>
          error.code === 'invalid-address' && !/geheim/.test(`${error.stack} ${error.cause}`),
        url,
      );
    }
  });
});
