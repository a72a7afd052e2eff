import { Socket } from 'node:net';
import type { PostgresPool } from 'kysely';
import pg, { type ClientConfig, type PoolClient } from 'pg';
import { faultOf } from './postgres-faults.ts';
import { execute, isSilent, type Statement } from './postgres-statements.ts';
import { addressOf, type PostgresAddress } from './postgres-url.ts';

export interface Limits {
  /** A statement that takes longer is cancelled; 0 for no limit. */
  readonly statementTimeoutMs: number;
  /** A statement that waits longer for a lock is cancelled; half of the statement's limit unless said. */
  readonly lockTimeoutMs?: number;
}

/** How long a call waits for a connection, new or free. */
const connectTimeoutMs = 5_000;
const closeTimeoutMs = 2_000;
const int8 = 20;

/** `pg`'s settings for a connection of ours. */
export const clientConfig = (
  address: PostgresAddress,
  { statementTimeoutMs, lockTimeoutMs = Math.ceil(statementTimeoutMs / 2) }: Limits,
): ClientConfig => ({
  ...addressOf(address),
  application_name: 'gantry',
  connectionTimeoutMillis: connectTimeoutMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  ...(lockTimeoutMs > 0 && { lock_timeout: lockTimeoutMs }),
  ...(statementTimeoutMs > 0 && {
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    // Ends the wait for a server that is gone without a word; one that lives has cancelled by itself by then.
    query_timeout: statementTimeoutMs + 3_000,
  }),
  types: {
    // 64-bit numbers of ours are times, sizes and counts, all below 2^53.
    getTypeParser: ((oid: number, format?: 'text') =>
      oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  },
});

/** PostgreSQL's text takes any character but NUL. */
const storable = (value: unknown): unknown =>
  typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;

/**
 * A connection as Kysely wants it, every fault a StoreError. What a transaction begins with, and silent statements in it,
 * go along with the next one whose answer is waited for, at the latest the commit: each round trip costs both sides more
 * than most statements do. So a fault of theirs is thrown there.
 */
const lent = (client: PoolClient) => {
  let broken = false;
  /** Not sent yet; undefined outside a transaction. */
  let unsent: Statement[] | undefined;
  // Lost while no statement was under way; the next one says so.
  const onError = (): void => {
    broken = true;
  };
  client.on('error', onError);
  return {
    async query(text: string, parameters: readonly unknown[]) {
      const statement = { text, values: parameters.map(storable) };
      const statements = [...(unsent ?? []), statement];
      if (text === 'begin' || (unsent !== undefined && isSilent(text))) {
        unsent = statements;
        return { command: '', rowCount: 0, rows: [] };
      }
      const begun = unsent?.[0]?.text !== 'begin';
      unsent = text === 'commit' || text === 'rollback' ? undefined : unsent && [];
      if (text === 'rollback') {
        // The server knows of no transaction, or has rolled back by itself; an error now would hide the one before.
        if (broken || !begun) return { command: 'ROLLBACK', rowCount: 0, rows: [] };
        statements.splice(0, statements.length - 1);
      }
      try {
        return await execute(client, statements);
      } catch (cause) {
        const fault = faultOf(cause);
        if (fault.code === 'unavailable') broken = true;
        throw fault;
      }
    },
    release(destroy?: boolean) {
      client.off('error', onError);
      client.release(broken || destroy);
    },
  };
};

/** A pool of at most `size` connections, made when they are needed. */
export const openPool = (address: PostgresAddress, size: number, limits: Limits): PostgresPool => {
  const sockets = new Set<Socket>();
  const stream = (): Socket => {
    const socket = new Socket();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  /** The pool calls it with `new`; it takes the address as it is by then, not as it was when the pool was made. */
  function newClient(): pg.Client {
    return new pg.Client({ ...clientConfig(address, limits), stream });
  }
  const pool = new pg.Pool({
    // What is wrong with an address is told at once.
    ...clientConfig(address, limits),
    Client: newClient as unknown as typeof pg.Client,
    max: size,
    idleTimeoutMillis: 30_000,
  });
  // A connection that is lost while idle leaves the pool; whoever needs one gets a new one or the reason why not.
  pool.on('error', () => {});
  // It may also be lost between being made or lent and being listened to; an error that nobody hears ends the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    options: {},
    async connect() {
      const client = await pool.connect().catch((cause: unknown) => {
        throw faultOf(cause);
      });
      return lent(client) as unknown as Awaited<ReturnType<PostgresPool['connect']>>;
    },
    async end() {
      // A server that is gone without a word never answers a goodbye.
      const impatient = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, closeTimeoutMs);
      await pool.end();
      clearTimeout(impatient);
    },
  };
};
