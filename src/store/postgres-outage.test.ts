import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Postgres, postgresMissing, startPostgres } from '../../test/services/postgres.ts';
import { startProxy } from '../../test/services/tcp-proxy.ts';
import { accepted, keyed, newImage } from './contract/samples.ts';
import { beside, openForTest } from './postgres.testing.ts';
import type { StoreError } from './store.ts';

describe('PostgreSQL: outages', { skip: postgresMissing }, () => {
  let server: Postgres;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.dispose());

  const terminateOthers = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;

  test('connections that are cut: calls fail or succeed, the next ones work', async (t) => {
    const url = await server.createDatabase();
    const store = await openForTest(t, url);
    await beside(url, async (client) => {
      // While idle.
      await Promise.all([store.ping(), store.ping(), store.ping()]);
      await client.query(terminateOthers);
      // Each of the pool's four may first be found dead when it is lent.
      for (let lent = 0; lent < 4; lent++) {
        await store.ping().catch(({ code }) => assert.equal(code, 'unavailable'));
      }
      await store.ping();
      // While at work, again and again.
      let outcomes = 0;
      const ids: string[] = [];
      const writers = Array.from({ length: 6 }, async () => {
        for (let n = 0; n < 30; n++) {
          const image = newImage();
          try {
            await store.accept([{ images: [image] }], 0);
            ids.push(image.id);
          } catch (error) {
            assert.equal((error as StoreError).code, 'unavailable');
          }
          outcomes++;
        }
      });
      while (outcomes < 150) await client.query(terminateOthers);
      await Promise.all(writers);
      assert.deepEqual((await store.existing(ids)).size, ids.length);
    });
  });

  test('a commit whose answer is lost: the call fails, and repeating it stores nothing twice', async (t) => {
    const url = new URL(await server.createDatabase());
    const proxy = await startProxy({ host: '127.0.0.1', port: server.port });
    t.after(() => proxy.close());
    url.port = String(proxy.port);
    const store = await openForTest(t, url.href, 1);
    for (const upload of [{ images: [newImage(), newImage()] }, keyed('k', 'a', 'answer')]) {
      // PostgreSQL's word for a transaction that is committed; it never arrives.
      const cut = proxy.cutBefore('toClient', (bytes) => bytes.includes('COMMIT\0'));
      const lost = { code: 'unavailable', message: /Connection terminated unexpectedly|ECONNRESET/ };
      await assert.rejects(store.accept([upload], 0), lost, 'the first reason, not what the rollback met');
      assert.equal(await cut, true);
      const ids = upload.images.map(({ id }) => id);
      assert.equal((await store.existing(ids)).size, ids.length, 'the server had heard it');
      assert.deepEqual(await store.accept([upload], 0), [{ kind: 'accepted' }]);
    }
    assert.equal((await store.events(0, 10)).length, 3);
    assert.equal((await store.outstanding()).outbox, 3);
  });

  test('a server that is gone without a word is given up', async (t) => {
    const url = new URL(await server.createDatabase());
    const proxy = await startProxy({ host: '127.0.0.1', port: server.port });
    t.after(() => proxy.close());
    url.port = String(proxy.port);
    const store = await openForTest(t, url.href, 2, 100);
    await store.ping();
    proxy.stall();
    await assert.rejects(store.ping(), { code: 'unavailable' });
    await assert.rejects(store.ping(), { code: 'unavailable' });
  });

  test('kill -9 of the server while images are accepted: what was accepted is there, nothing by halves', async (t) => {
    const url = await server.createDatabase();
    const store = await openForTest(t, url, 6);
    const promised: string[] = [];
    let down = false;
    const enough = Promise.withResolvers<void>();
    const writers = Array.from({ length: 6 }, async () => {
      while (!down) {
        const images = Array.from({ length: 8 }, () => newImage());
        try {
          await store.accept([{ images }], 0);
          promised.push(...images.map(({ id }) => id));
        } catch (error) {
          assert.equal((error as StoreError).code, 'unavailable');
        }
        if (promised.length > 1000) enough.resolve();
      }
    });
    await enough.promise;
    await server.kill();
    down = true;
    await Promise.all(writers);
    await assert.rejects(store.ping(), { code: 'unavailable' });
    await assert.rejects(openForTest(t, url), { code: 'unavailable' });
    await server.start();
    assert.equal((await store.existing(promised)).size, promised.length);
    const { images, outbox } = await store.outstanding();
    assert.deepEqual([images % 8, outbox], [0, images], 'whole uploads');
    assert.equal((await store.events(0, 100_000)).length, images);
    await accepted(store);
  });
});
