import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Postgres, postgresMissing, startPostgres } from '../../test/services/postgres.ts';
import { beside } from './postgres.testing.ts';
import { openPool } from './postgres-pool.ts';
import { declareConstant, execute } from './postgres-statements.ts';

const insert = `insert into numbers select n from json_to_recordset($1::json) as input (n bigint)`;
const insertOne = 'insert into numbers values ($1)';
declareConstant(insert, true);
declareConstant(insertOne, true);
const rows = (...numbers: number[]): string => JSON.stringify(numbers.map((n) => ({ n })));

let server: Postgres;
const database = async (): Promise<string> => {
  const url = await server.createDatabase();
  await beside(url, (client) => client.query('create table numbers (n bigint primary key)'));
  return url;
};
const stored = (url: string): Promise<number[]> =>
  beside(url, async (client) =>
    (await client.query<{ n: string }>('select n from numbers order by n')).rows.map(({ n }) => Number(n)),
  );
/** Of the connections of ours, by what they do. */
const states = (url: string): Promise<string[]> =>
  beside(url, async (client) => {
    const ours = `select state from pg_stat_activity where application_name = 'gantry'`;
    return (await client.query<{ state: string }>(ours)).rows.map(({ state }) => state);
  });

describe('PostgreSQL: statements that go together', { skip: postgresMissing }, () => {
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.dispose());

  test('a transaction whose answers nobody wants is sent with its commit', async () => {
    const url = await database();
    const pool = openPool({ url }, 1, { statementTimeoutMs: 5_000 });
    const connection = await pool.connect();
    await connection.query('begin', []);
    await connection.query(insert, [rows(1, 2)]);
    await connection.query(insertOne, [3]);
    assert.deepEqual(await states(url), ['idle']);
    const { command } = await connection.query('commit', []);
    assert.deepEqual([command, await stored(url)], ['COMMIT', [1, 2, 3]]);

    await connection.query('begin', []);
    await connection.query(insertOne, [4]);
    const { rows: seen } = await connection.query<{ n: number }>('select max(n) as n from numbers', []);
    assert.deepEqual([seen, await states(url)], [[{ n: 4 }], ['idle in transaction']]);
    await connection.query(insertOne, [5]);
    await connection.query('rollback', []);
    assert.deepEqual([await stored(url), await states(url)], [[1, 2, 3], ['idle']]);

    // Outside a transaction there is no commit that it could go with.
    await connection.query(insertOne, [6]);
    assert.deepEqual(await stored(url), [1, 2, 3, 6]);
    connection.release();
    await pool.end();
  });

  test('a fault of one is thrown in its time, undoes the others, and leaves the connection as it was', async () => {
    const url = await database();
    const pool = openPool({ url }, 1, { statementTimeoutMs: 5_000 });
    const connection = await pool.connect();
    const transaction = async (...numbers: number[]): Promise<void> => {
      await connection.query('begin', []);
      for (const n of numbers) await connection.query(insertOne, [n]);
      // Prepared behind the fault, and so not at all, when it is first executed.
      await connection.query(insert, [rows(100)]);
      await connection.query('commit', []);
    };
    const twice = { code: 'failed', message: /duplicate key/ };
    await assert.rejects(transaction(1, 1), twice);
    await connection.query('rollback', []);
    await transaction(1, 2);
    assert.deepEqual(await stored(url), [1, 2, 100]);
    await connection.query('begin', []);
    await connection.query(insertOne, [2]);
    await assert.rejects(connection.query('select 1', []), twice);
    await connection.query('rollback', []);
    assert.deepEqual(await stored(url), [1, 2, 100]);
    connection.release();
    await pool.end();
  });

  test('what is prepared is planned anew after a while', async (t) => {
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    const url = await database();
    await beside(url, async (client) => {
      const preparedAt = async (): Promise<unknown[]> => {
        await execute(client, [{ text: insert, values: [rows(now)] }]);
        const { rows: times } = await client.query('select prepare_time::text from pg_prepared_statements');
        return times;
      };
      now = 0;
      const first = await preparedAt();
      assert.equal(first.length, 1);
      now = 9_000;
      assert.deepEqual(await preparedAt(), first);
      now = 11_000;
      const second = await preparedAt();
      assert.equal(second.length, 1);
      assert.notDeepEqual(second, first);
    });
  });
});
