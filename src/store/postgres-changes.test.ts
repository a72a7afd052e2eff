import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { type Postgres, postgresMissing, startPostgres } from '../../test/services/postgres.ts';
import { accepted, failed, future, newImage, processing } from './contract/samples.ts';
import { openPostgresStore } from './postgres.ts';
import { spacingMs } from './postgres-changes.ts';
import type { ImageEvent, Store } from './store.ts';

type Log = NonNullable<Parameters<typeof openPostgresStore>[0]['log']>;

/** What a store logs, and a promise of the next line with a text in it. */
const recordingLog = () => {
  const lines: string[] = [];
  let look = (): void => {};
  const write = (...args: unknown[]): void => {
    lines.push(String(args.at(-1)));
    look();
  };
  return {
    lines,
    log: { info: write, warn: write } as unknown as Log,
    has: (text: string) =>
      new Promise<void>((resolve) => {
        look = () => lines.some((line) => line.includes(text)) && resolve();
        look();
      }),
  };
};

/** Counts calls, and resolves once there is another. */
const counter = () => {
  let count = 0;
  let next = Promise.withResolvers<void>();
  return {
    get count() {
      return count;
    },
    listener: () => {
      count++;
      next.resolve();
      next = Promise.withResolvers();
    },
    another: () => next.promise,
  };
};

describe('PostgreSQL: changes', { skip: postgresMissing }, () => {
  let server: Postgres;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.dispose());
  const open = async (t: TestContext, url: string, log?: Log): Promise<Store> => {
    const store = await openPostgresStore({
      url,
      poolSize: 8,
      statementTimeoutMs: 15_000,
      ...(log && { log }),
    });
    t.after(() => store.close());
    return store;
  };

  test('who follows event numbers misses none of several writers', async (t) => {
    const url = await server.createDatabase();
    const stores = await Promise.all([open(t, url), open(t, url), open(t, url)]);
    const [reader] = stores;
    assert.ok(reader);
    const writers = stores.flatMap((store) =>
      Array.from({ length: 5 }, async () => {
        for (let n = 0; n < 20; n++) {
          const job = await accepted(store);
          await store.started([processing(job)]);
          await store.record([failed(job)]);
        }
      }),
    );
    let writing = true;
    const written = Promise.all(writers).then(() => {
      writing = false;
    });
    const followed: ImageEvent[] = [];
    for (let more = true; more; ) {
      more = writing;
      const part = await reader.events(followed.at(-1)?.seq ?? 0, 50);
      followed.push(...part);
      if (part.length > 0) more = true;
    }
    await written;
    const all = await reader.events(0, 10_000);
    assert.equal(all.length, 15 * 20 * 3);
    assert.deepEqual(
      followed.map(({ seq }) => seq),
      all.map(({ seq }) => seq),
    );
  });

  test('what one process writes is told to the others, not to itself', async (t) => {
    const url = await server.createDatabase();
    const [writer, other] = await Promise.all([open(t, url), open(t, url)]);
    const [own, others] = [counter(), counter()];
    const begun = [own.another(), others.another()];
    writer.onChange(own.listener);
    other.onChange(others.listener);
    // To have begun to listen is the first hint.
    await Promise.all(begun);
    const told = async (write: () => Promise<unknown>): Promise<void> => {
      const next = others.another();
      await write();
      await next;
    };
    const image = newImage();
    const job = { id: image.id, generation: 1 };
    await told(() => writer.accept([{ images: [image] }], 0));
    await told(() => writer.started([processing(job)]));
    await writer.published([job]);
    await told(() => writer.requeue(future(), 10));
    await told(() => writer.record([failed(job)]));
    await told(() => writer.reprocess(job.id, 0));
    await told(() => writer.remove(job.id));
    assert.equal(own.count, 1);
    const before = others.count;
    await writer.record([failed(job)]);
    await writer.requeue(future(), 10);
    await told(() => accepted(writer));
    assert.equal(others.count, before + 1, 'calls that change nothing tell nothing');
  });

  test('many changes at once are told together', async (t) => {
    const url = await server.createDatabase();
    const [writer, other] = await Promise.all([open(t, url), open(t, url)]);
    const others = counter();
    const begun = others.another();
    other.onChange(others.listener);
    await begun;
    const began = performance.now();
    await Promise.all(Array.from({ length: 300 }, () => accepted(writer)));
    await writer.close();
    const most = (performance.now() - began) / spacingMs + 2;
    assert.ok(others.count <= most, `${others.count} notifications of 300 changes, in time for ${most}`);
  });

  test('a lost listener hurts nobody, is made anew, and is told what it may have missed', async (t) => {
    const url = await server.createDatabase();
    const { log, lines, has } = recordingLog();
    const store = await open(t, url, log);
    const seen = counter();
    const begun = seen.another();
    store.onChange(seen.listener);
    await begun;
    const again = seen.another();
    const client = new pg.Client(url);
    await client.connect();
    // Again and again: it is one outage until a connection stands.
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like '%listen%' and pid <> pg_backend_pid()`,
    );
    await has('no notifications');
    await accepted(store);
    await again;
    await has('are back');
    assert.deepEqual(lines.length, 2);
    await client.end();
  });

  test('closing sends what is to be told still', async (t) => {
    const url = await server.createDatabase();
    const [command, web] = await Promise.all([open(t, url), open(t, url)]);
    const seen = counter();
    const begun = seen.another();
    web.onChange(seen.listener);
    await begun;
    const next = seen.another();
    await accepted(command);
    await command.close();
    await next;
  });
});
