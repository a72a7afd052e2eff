import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { type Postgres, postgresMissing, startPostgres } from '../../test/services/postgres.ts';
import { accepted, failed, succeeded } from './contract/samples.ts';
import { beside, openForTest } from './postgres.testing.ts';
import { openPostgresStore } from './postgres.ts';
import { faultOf } from './postgres-faults.ts';
import { StoreError } from './store.ts';

test('every fault has a code that says what to do about it', () => {
  const fault = (code: string, message = ''): string =>
    faultOf(Object.assign(new Error(message), { code })).code;
  assert.deepEqual(
    ['08006', '57P01', '57P03', 'ECONNREFUSED', 'ECONNRESET'].map((code) => fault(code)),
    Array(5).fill('unavailable'),
  );
  assert.deepEqual(
    ['40001', '40P01', '55P03', '57014', '53300'].map((code) => fault(code)),
    Array(5).fill('busy'),
  );
  assert.deepEqual(
    ['53100', '53200'].map((code) => fault(code)),
    ['full', 'full'],
  );
  assert.deepEqual(
    ['28P01', '28000', '3D000', '42501', 'DEPTH_ZERO_SELF_SIGNED_CERT'].map((code) => fault(code)),
    Array(5).fill('refused'),
  );
  assert.deepEqual(
    ['23505', '22P02', '', 'X'].map((code) => fault(code)),
    Array(4).fill('failed'),
  );
  assert.equal(faultOf(new Error('Connection terminated unexpectedly')).code, 'unavailable');
  assert.equal(faultOf('odd').code, 'failed');
  const several = new AggregateError([new Error('no way'), new Error('nor here')]);
  assert.match(faultOf(Object.assign(several, { code: 'ECONNREFUSED' })).message, /no way; nor here/);
});

describe('PostgreSQL: what goes wrong', { skip: postgresMissing }, () => {
  let server: Postgres;
  before(async () => {
    server = await startPostgres({ max_connections: '60' });
  });
  after(() => server.dispose());

  test('who is not let in or finds nobody is told why, without the password', async () => {
    const url = new URL(await server.createDatabase());
    const attempt = async (change: (url: URL) => void, more = {}): Promise<StoreError> => {
      const changed = new URL(url);
      changed.password = 'hunter2';
      change(changed);
      const options = { url: changed.href, poolSize: 2, statementTimeoutMs: 1000, ...more };
      const error = await openPostgresStore(options).then(
        () => assert.fail('was let in'),
        (error) => error,
      );
      assert.ok(error instanceof StoreError);
      for (let one: unknown = error; one instanceof Error; one = one.cause)
        assert.doesNotMatch(`${one.message} ${one.stack} ${JSON.stringify(one)}`, /hunter2/);
      return error;
    };
    assert.equal((await attempt(() => {})).code, 'refused');
    assert.equal(
      (
        await attempt((changed) => {
          changed.username = 'nobody';
        })
      ).code,
      'refused',
    );
    assert.equal(
      (
        await attempt((changed) => {
          changed.port = '1';
        })
      ).code,
      'unavailable',
    );
    assert.equal(
      (
        await attempt((changed) => {
          changed.hostname = 'no-such-host.invalid';
        })
      ).code,
      'unavailable',
    );
    const missing = await attempt(
      (changed) => {
        changed.pathname = '/missing';
      },
      { password: url.password },
    );
    assert.deepEqual([missing.code, /"missing" does not exist/.test(missing.message)], ['refused', true]);
    const tls = await attempt((changed) => {
      changed.searchParams.set('sslmode', 'require');
    });
    assert.equal(tls.code, 'refused');
    assert.equal(
      (
        await attempt((changed) => {
          changed.searchParams.set('sslmode', 'prefer');
        })
      ).code,
      'failed',
    );
    const options = { url: 'postgres://u:hunter2@:x', poolSize: 1, statementTimeoutMs: 1000 };
    await assert.rejects(
      openPostgresStore(options),
      (error: StoreError) => !/hunter2/.test(`${error.stack}${error.cause}`),
    );
  });

  test('name and password may be given beside the URL', async () => {
    const url = new URL(await server.createDatabase());
    const { username, password } = url;
    url.username = 'somebody';
    url.password = 'else';
    const store = await openPostgresStore({
      url: url.href,
      username,
      password,
      poolSize: 1,
      statementTimeoutMs: 5000,
    });
    await store.ping();
  });

  test('statements, locks and connections are waited for so long and no longer', async (t) => {
    const url = await server.createDatabase();
    const store = await openForTest(t, url, 2, 400);
    const job = await accepted(store);
    await beside(url, async (client) => {
      await client.query('begin; select * from images for update');
      await assert.rejects(store.record([failed(job)]), { code: 'busy' });
      await client.query('rollback; begin; lock table images in access exclusive mode');
      const waiting = Array.from({ length: 12 }, () =>
        store.image(job.id).then(
          () => '',
          ({ code }) => code,
        ),
      );
      assert.deepEqual(await Promise.all(waiting), Array(12).fill('busy'));
      await client.query('rollback');
    });
    assert.deepEqual(await store.record([failed(job)]), ['recorded']);
  });

  test('more processes than the server has connections for: busy, and nothing worse', async (t) => {
    const url = await server.createDatabase();
    await (await openForTest(t, url)).close();
    const clients: pg.Client[] = [];
    try {
      for (;;) {
        const client = new pg.Client(url);
        await client.connect();
        clients.push(client);
      }
    } catch {}
    await assert.rejects(openForTest(t, url), { code: 'busy' });
    await Promise.all(clients.map((client) => client.end()));
    await (await openForTest(t, url)).close();
  });

  test('the loser of a deadlock tries again', async (t) => {
    const url = await server.createDatabase();
    // Whoever waits looks for a circle once, after this; the store must find it, not we, however slow the machine is.
    await beside(url, async (client) => {
      await client.query(`alter database ${new URL(url).pathname.slice(1)} set deadlock_timeout = '3s'`);
    });
    const store = await openForTest(t, url);
    const [one, two] = [
      await accepted(store, { id: '019b0000-0001-7000-8000-000000000000' }),
      await accepted(store),
    ];
    await beside(url, async (client) => {
      await client.query("set deadlock_timeout = '10min'");
      await client.query(`begin; select * from images where id = '${two.id}' for update`);
      const recorded = store.record([succeeded(one), succeeded(two)]);
      await beside(url, async (watcher) => {
        const waits = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        while ((await watcher.query(waits)).rowCount === 0);
      });
      // The store has the first and waits for the second: it was first to wait, so it is first to look for a circle.
      await client.query(`select * from images where id = '${one.id}' for update`);
      await client.query('commit');
      assert.deepEqual(await recorded, ['recorded', 'recorded']);
      const { rows } = await client.query(
        'select deadlocks from pg_stat_database where datname = current_database()',
      );
      assert.equal(rows.length, 1);
    });
  });
});
