import type { ChannelModel } from 'amqplib';
import type { Logger } from '../observability/log.ts';
import type { RabbitAddress } from './rabbitmq-address.ts';
import { backoffMs, pause } from './rabbitmq-backoff.ts';
import { type Dial, dial, type Line, messageOf } from './rabbitmq-dial.ts';

export interface KeepOptions extends Dial {
  /** Tried in turn. */
  readonly hosts: RabbitAddress['hosts'];
  /** What the connection is for; a field of its log lines. */
  readonly purpose: string;
  readonly maxBackoffMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Prepares a new connection. If it rejects, the connection is dropped and the next one made. */
  prepare(model: ChannelModel): Promise<void>;
  /** The connection that was prepared, or begun to be, is over. */
  lost(): void;
}

export interface KeptConnection {
  /** The connection, once there is one that is prepared; undefined if there is none within `limitMs` or after `close`. */
  within(limitMs: number): Promise<ChannelModel | undefined>;
  /** Gives this connection up, if it is the present one, without waiting for the broker; the next one is made. */
  drop(model: ChannelModel, reason: string): void;
  /** Closes it in order if the broker answers within 2 s, and in any case for good. */
  close(): Promise<void>;
}

const closeLimitMs = 2_000;
/** A connection that lasted this long ends the doubling of the pauses. */
const stableMs = 1_000;

/** Tells the log of each outage, and of each reason in it, once. */
const outageLog = ({ log, purpose }: Pick<KeepOptions, 'log' | 'purpose'>) => {
  const reasons = new Set<string>();
  return {
    connected(host: string): void {
      reasons.clear();
      log.info({ connection: purpose, host }, 'broker connected');
    },
    lost(host: string, reason: string): void {
      reasons.add(reason);
      log.warn({ connection: purpose, host, reason }, 'broker connection lost');
    },
    failed(host: string, reason: string): void {
      if (reasons.has(reason)) return;
      reasons.add(reason);
      log.warn({ connection: purpose, host, reason }, 'broker cannot be reached; trying on');
    },
  };
};

/**
 * Keeps one connection to the broker: makes it, and makes it again whenever it is lost, trying the hosts in turn, with
 * growing, jittered pauses after each round. Returns at once.
 */
export const keepConnection = (options: KeepOptions): KeptConnection => {
  const { hosts, maxBackoffMs, purpose, prepare, lost } = options;
  const report = outageLog(options);
  const closing = new AbortController();
  const waiting = new Set<(model: ChannelModel | undefined) => void>();
  let line: Line | undefined;
  let ready: ChannelModel | undefined;
  let turn = 0;

  const answer = (model: ChannelModel | undefined): void => {
    for (const resolve of waiting) resolve(model);
    waiting.clear();
  };

  /** One connection's whole life; resolves with how long it was in use (ms). */
  const live = async (host: RabbitHost): Promise<number> => {
    const shown = `${host.hostname}:${host.port}`;
    try {
      line = await dial({ ...options, name: `${options.name} ${purpose}` }, host, closing.signal);
      const { model, ended } = line;
      const cut = ended.then((reason) => {
        throw new Error(reason);
      });
      try {
        await Promise.race([prepare(model), cut]);
      } catch (error) {
        line.destroy(messageOf(error));
        throw error;
      }
      const since = performance.now();
      report.connected(shown);
      ready = model;
      answer(model);
      const reason = await ended;
      if (!closing.signal.aborted) report.lost(shown, reason);
      return performance.now() - since;
    } catch (error) {
      if (!closing.signal.aborted) report.failed(shown, messageOf(error));
      return 0;
    } finally {
      line = undefined;
      ready = undefined;
      lost();
    }
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted; ) {
      const host = hosts[turn % hosts.length] as RabbitHost;
      const lastedMs = await live(host);
      failures = lastedMs > stableMs ? 0 : failures + 1;
      if (lastedMs === 0) turn += 1;
      // The other hosts are tried at once: it may be this one alone that is away.
      const round = lastedMs > 0 || failures % hosts.length === 0;
      if (round) await pause(backoffMs(failures / hosts.length, maxBackoffMs), closing.signal);
    }
  };
  const over = run();

  const within = async (limitMs: number): Promise<ChannelModel | undefined> => {
    if (ready !== undefined || closing.signal.aborted) return ready;
    const { promise, resolve } = Promise.withResolvers<ChannelModel | undefined>();
    waiting.add(resolve);
    const timer = setTimeout(() => resolve(undefined), limitMs);
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(resolve);
    });
  };

  const close = async (): Promise<void> => {
    closing.abort();
    answer(undefined);
    const open = line;
    if (open !== undefined) {
      const timer = setTimeout(() => open.destroy('closing'), closeLimitMs);
      await Promise.race([open.model.close().catch(() => undefined), open.ended]);
      clearTimeout(timer);
      open.destroy('closing');
    }
    await over;
  };

  const drop = (model: ChannelModel, reason: string): void => {
    if (line?.model === model) line.destroy(reason);
  };

  return { within, drop, close };
};

type RabbitHost = RabbitAddress['hosts'][number];
