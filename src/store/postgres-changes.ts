import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg, { type ClientConfig } from 'pg';
import type { Logger } from '../observability/log.ts';

export interface Changes {
  /** Tells the other processes, soon; never fails, and nobody waits for it. */
  announce(): void;
  onChange(listener: () => void): void;
  /** Waits a moment for what is to be told still. */
  close(): Promise<void>;
}

interface Connection {
  readonly client: pg.Client;
  readonly socket: Socket;
}

const channel = 'gantry_changes';
const [leastPauseMs, mostPauseMs] = [200, 15_000];
/** Between two notifications: what changes in the meantime is told by the second. The first of them waits for nothing. */
export const spacingMs = 50;
const closeTimeoutMs = 1_000;
const outageMessage = 'no notifications from PostgreSQL: what other processes change is seen by polling only';

/** A connection that listens. `lost` is called when it is gone. */
const connect = async (config: ClientConfig, changed: () => void, lost: () => void): Promise<Connection> => {
  const socket = new Socket();
  const client = new pg.Client({ ...config, stream: () => socket });
  const own = client as { processID?: number };
  client.on('error', () => socket.destroy());
  client.once('end', lost);
  client.on('notification', ({ processId }) => {
    if (processId !== own.processID) changed();
  });
  try {
    await client.connect();
    // A commit that only notifies waits for the disk too, unless told not to.
    await client.query(`set synchronous_commit = off; listen ${channel}`);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return { client, socket };
};

/**
 * Hints between processes by LISTEN and NOTIFY, on a connection of their own that is made when it is first needed,
 * and made anew, as `config` then is, after jittered pauses when it is lost. At most one NOTIFY is under way and one more waits. Any of
 * them may be lost.
 */
export const openChanges = (config: () => ClientConfig, log?: Pick<Logger, 'info' | 'warn'>): Changes => {
  const listeners: (() => void)[] = [];
  const life = new AbortController();
  let started = false;
  let connection: Connection | undefined;
  let announced = false;
  let sending = false;
  let underWay = false;
  let told = (): void => {};

  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  const send = async (): Promise<void> => {
    if (sending) return;
    sending = true;
    while (announced && connection !== undefined) {
      const { client, socket } = connection;
      announced = false;
      underWay = true;
      await client.query(`notify ${channel}`).catch(() => socket.destroy());
      underWay = false;
      if (!announced) told();
      await pause(spacingMs, undefined, { ref: false });
    }
    sending = false;
  };
  /** Listens until the connection is lost, or cannot be made: both throw. */
  const listen = async (connected: () => void): Promise<void> => {
    const { promise: lost, resolve } = Promise.withResolvers<void>();
    try {
      connection = await connect(config(), changed, resolve);
      if (life.signal.aborted) connection.socket.destroy();
      connected();
      // Whatever was told before was not heard here.
      changed();
      void send();
      await lost;
      throw new Error('the connection was lost');
    } finally {
      connection = undefined;
    }
  };
  const run = async (): Promise<void> => {
    let pauseMs = leastPauseMs;
    let outage = false;
    while (!life.signal.aborted) {
      await listen(() => {
        if (outage) log?.info('notifications from PostgreSQL are back');
        outage = false;
        pauseMs = leastPauseMs;
      }).catch((error: Error) => {
        if (!outage && !life.signal.aborted) log?.warn({ reason: error.message }, outageMessage);
        outage = true;
      });
      const jittered = pauseMs * (0.5 + Math.random());
      await pause(jittered, undefined, { ref: false, signal: life.signal }).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, mostPauseMs);
    }
  };
  const start = (): void => {
    if (started || life.signal.aborted) return;
    started = true;
    void run();
  };

  return {
    announce() {
      announced = true;
      start();
      void send();
    },
    onChange(listener) {
      listeners.push(listener);
      start();
    },
    async close() {
      if ((announced || underWay) && !life.signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        told = resolve;
        const patience = setTimeout(resolve, closeTimeoutMs);
        await promise;
        clearTimeout(patience);
      }
      life.abort();
      connection?.socket.destroy();
    },
  };
};
