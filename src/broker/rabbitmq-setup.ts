import type { ChannelModel } from 'amqplib';
import type { Logger } from '../observability/log.ts';
import { within } from '../within.ts';
import { backoffMs, pause } from './rabbitmq-backoff.ts';
import { messageOf } from './rabbitmq-dial.ts';
import { declareTopology, hasMark, isUnmade, missingFrom, setMark } from './rabbitmq-topology.ts';
import type { Queue } from './topology.ts';

export interface SetupOptions {
  readonly topology: readonly Queue[];
  /** Whether to create what is missing, or to wait until somebody has. */
  readonly declare: boolean;
  /** Limit of one look at the queues, or of their creation: a connection that stalls must not hold up the other. */
  readonly limitMs: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** A connection to note on that the queue was refilled; undefined if there is none within some time. */
  connection(): Promise<ChannelModel | undefined>;
}

export interface Setup {
  /** Resolves when all queues exist. Rejects when the connection does not allow it. */
  run(model: ChannelModel): Promise<void>;
  onEmptied(listener: () => Promise<void>): void;
  stop(): void;
}

/** Longest pause between two looks whether the queues exist by now. */
const maxWaitMs = 2_000;
/** A queue that is made again before its consumers have heard of its end leaves them subscribed to nothing. */
const farewellMs = 500;
/** Longest pause before listeners that failed are called again. */
const maxRetryMs = 30_000;

/** Makes sure that the queues exist, and that whoever asked hears if `images` had to be created anew. */
export const createSetup = ({ topology, declare, limitMs, log, connection }: SetupOptions): Setup => {
  const listeners: (() => Promise<void>)[] = [];
  const stopping = new AbortController();
  let tail: Promise<unknown> = Promise.resolve();
  let emptied = false;
  let refilling = false;
  let made = false;

  const waitFor = async (model: ChannelModel): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      const missing = await within(missingFrom(model, topology), limitMs);
      if (missing === undefined) return;
      if (failures === 0) log.warn({ missing }, 'waiting for the queues; gantry web declares them');
      await pause(backoffMs(failures, maxWaitMs), stopping.signal);
    }
  };

  /** One at a time: else two could each take the other's new queue for an old one. */
  const exclusively = <T>(run: () => Promise<T>): Promise<T> => {
    const result = tail.then(run);
    tail = result.catch(() => undefined);
    return result;
  };

  const untilConnected = async (): Promise<ChannelModel | undefined> => {
    while (!stopping.signal.aborted) {
      const model = await connection();
      if (model !== undefined) return model;
    }
    return undefined;
  };

  /** Until the listeners have put back what was lost, and nothing was lost meanwhile; then notes it at the broker. */
  const refill = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      emptied = false;
      try {
        await Promise.all(listeners.map(async (listener) => listener()));
        const model = await untilConnected();
        if (model === undefined) return;
        await exclusively(async () => {
          if (!emptied) await within(setMark(model), limitMs);
        });
        if (!emptied) return;
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'refilling the queue failed; trying again');
        await pause(backoffMs(failures, maxRetryMs), stopping.signal);
      }
    }
  };
  const beginRefill = (): void => {
    if (!emptied || refilling || listeners.length === 0 || stopping.signal.aborted) return;
    refilling = true;
    void refill().finally(() => {
      refilling = false;
    });
  };

  const create = async (model: ChannelModel): Promise<void> => {
    const unmade = await isUnmade(model);
    // Before the queue exists, so that a refilling under way does not take it for the one that it fills.
    if (unmade) emptied = true;
    if (unmade && made) await pause(farewellMs, stopping.signal);
    await declareTopology(model, topology);
    made = true;
    const marked = !unmade && (await hasMark(model));
    // Without a mark it may also be that the refilling under way is not done yet.
    if (marked || (refilling && !unmade)) return;
    emptied = true;
    log.info('the queue `images` is new; unfinished images are put into it');
    beginRefill();
  };

  return {
    run: (model) => exclusively(() => (declare ? within(create(model), limitMs) : waitFor(model))),
    onEmptied: (listener) => {
      listeners.push(listener);
      // Not within the call: the caller may not be ready to hear of it.
      setImmediate(beginRefill);
    },
    stop: () => stopping.abort(),
  };
};
