import type { TestContext } from 'node:test';
import pg from 'pg';
import { openPostgresStore } from './postgres.ts';
import type { Store } from './store.ts';

/** A store, closed after the test. */
export const openForTest = async (
  t: Pick<TestContext, 'after'>,
  url: string,
  poolSize = 4,
  statementTimeoutMs = 15_000,
): Promise<Store> => {
  const store = await openPostgresStore({ url, poolSize, statementTimeoutMs });
  t.after(() => store.close());
  return store;
};

/** Work on a connection of its own, beside the store's. */
export const beside = async <T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};
