import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../observability/log.ts';
import type { Broker, Subscription } from './broker.ts';
import { type Answer, type Answers, createAnswers } from './rabbitmq-answers.ts';
import { backoffMs, pause } from './rabbitmq-backoff.ts';
import { deliveryOf } from './rabbitmq-delivery.ts';
import { messageOf } from './rabbitmq-dial.ts';
import { closeChannel } from './rabbitmq-topology.ts';
import type { Queue, QueueName } from './topology.ts';

export interface SubscriptionOptions {
  readonly queue: Pick<Queue, 'name' | 'deadLetterTo'>;
  readonly prefetch: number;
  readonly handler: Parameters<Broker['consume']>[2];
  readonly log: Pick<Logger, 'warn'>;
  /** The connection in use; undefined while there is none. */
  connection(): ChannelModel | undefined;
  /** Resolves when the queues have been looked after once more. */
  restore(): Promise<void>;
}

export interface RabbitSubscription extends Subscription {
  readonly queue: QueueName;
  /** Subscribes, and again whenever it ends, for as long as there is the connection. */
  attach(): void;
  /** Deliveries that the broker waits for an answer to. */
  unanswered(): number;
  /** The broker is closed: nothing is looked after any more. */
  stop(): void;
}

/** One consumer on one channel; another takes its place when it ends. */
interface Session {
  readonly model: ChannelModel;
  readonly channel: Channel;
  readonly answers: Answers;
  tag: string | undefined;
  running: number;
  /** When it was last heard of; on the clock of `performance.now()`. */
  heardAt: number;
  open: boolean;
  /** It gets no more deliveries. */
  ending: boolean;
}

/** Who hears nothing for so long subscribes again. */
const silenceMs = 15_000;
const maxPauseMs = 2_000;
const answerLimitMs = 5_000;

/** As the memory queue does it: a handler that fails at once must not spin. */
const giveBackMs = (redeliveries: number): number => Math.min(1_000, 25 * 2 ** redeliveries);

/** Waits for what a broker that stalls may never answer. */
const bounded = async (answer: Promise<unknown>): Promise<void> => {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, answerLimitMs);
  await Promise.race([answer.catch(() => undefined), limit.promise]);
  clearTimeout(timer);
};

/** A subscription that outlives channels and connections. */
export const createSubscription = (options: SubscriptionOptions): RabbitSubscription => {
  const { queue, prefetch, handler, log, connection, restore } = options;
  const sessions = new Set<Session>();
  const cancelled = new AbortController();
  const idle = Promise.withResolvers<void>();
  let attaching: Promise<void> = Promise.resolve();
  let opening: Promise<void> = Promise.resolve();
  let cancelling: Promise<void> | undefined;

  const running = (): number => sum(sessions, (session) => session.running);

  /** Its last answers have been given; closing flushes them. */
  const retire = async (session: Session): Promise<void> => {
    session.answers.flush();
    if (session.open) await bounded(closeChannel(session.channel));
    sessions.delete(session);
  };

  const handle = async (message: ConsumeMessage): Promise<Answer> => {
    const delivery = deliveryOf(message);
    try {
      const verdict = await handler(delivery);
      if (verdict === 'dead-letter' && queue.deadLetterTo === undefined) {
        const bytes = message.content.byteLength;
        log.warn({ queue: queue.name, reason: 'rejected', bytes }, 'message dropped');
      }
      return verdict;
    } catch (err) {
      const { redeliveries } = delivery;
      log.warn({ queue: queue.name, redeliveries, err }, 'a handler threw; its message is delivered again');
      await pause(giveBackMs(redeliveries), cancelled.signal);
      return 'failed';
    }
  };

  const deliver = async (session: Session, message: ConsumeMessage): Promise<void> => {
    session.answers.delivered(message);
    if (cancelled.signal.aborted) {
      session.answers.give(message, 'unseen');
      return;
    }
    session.running += 1;
    session.answers.give(message, await handle(message));
    session.running -= 1;
    session.heardAt = performance.now();
    if (session.running > 0) return;
    if (cancelled.signal.aborted && running() === 0) idle.resolve();
    else if (session.ending) await retire(session);
  };

  const interrupted = (session: Session, reason: string): void => {
    if (session.ending) return;
    session.ending = true;
    if (session.running === 0) void retire(session);
    // Channels end before their connection does; where that is the reason, the next one begins anew.
    setImmediate(() => {
      if (cancelled.signal.aborted || connection() !== session.model) return;
      log.warn({ queue: queue.name, reason }, 'consumer ended by the broker; subscribing again');
      attach();
    });
  };

  const open = async (model: ChannelModel): Promise<void> => {
    const channel = await model.createChannel();
    const fresh = { tag: undefined, running: 0, heardAt: performance.now(), open: true, ending: false };
    const session: Session = { model, channel, answers: createAnswers(channel), ...fresh };
    let reason = 'channel closed';
    channel.on('error', (error: unknown) => {
      reason = messageOf(error);
    });
    channel.on('close', () => {
      session.open = false;
      if (session.tag !== undefined) interrupted(session, reason);
    });
    sessions.add(session);
    try {
      await channel.prefetch(prefetch);
      const { consumerTag } = await channel.consume(queue.name, (message) => {
        if (message !== null) void deliver(session, message);
        else interrupted(session, 'cancelled by the broker');
      });
      // It may have ended in the same breath as it began.
      if (!session.open) throw new Error(reason);
      session.tag = consumerTag;
    } catch (error) {
      session.ending = true;
      if (session.running === 0) await retire(session);
      throw error;
    }
  };

  const keepTrying = async (): Promise<void> => {
    const model = connection();
    for (const session of sessions) if (session.open && !session.ending) return;
    for (let failures = 0; ; failures += 1) {
      if (model === undefined || model !== connection() || cancelled.signal.aborted) return;
      try {
        opening = open(model);
        return await opening;
      } catch (error) {
        await pause(backoffMs(failures, maxPauseMs), cancelled.signal);
        if (model !== connection() || cancelled.signal.aborted) return;
        if (failures === 1) {
          log.warn({ queue: queue.name, reason: messageOf(error) }, 'cannot subscribe; trying on');
        }
        // Most likely the queue is gone.
        await restore();
      }
    }
  };

  const attach = (): void => {
    attaching = attaching.then(keepTrying);
  };

  /**
   * A broker can lose a consumer without a word: where a queue is deleted and made anew in the same moment, RabbitMQ
   * takes the consumer over, and what it delivers never arrives (seen with 3.10). A new subscription gets it all.
   */
  const renew = async (): Promise<void> => {
    for (const session of sessions) {
      const { channel, tag, running, heardAt, open, ending } = session;
      if (!open || ending || tag === undefined) continue;
      if (running > 0 || performance.now() - heardAt < silenceMs) continue;
      session.ending = true;
      await bounded(channel.cancel(tag));
      if (session.running === 0) await retire(session);
      if (!cancelled.signal.aborted) attach();
    }
  };
  const renewing = setInterval(() => void renew(), silenceMs / 3).unref();

  const cancel = async (): Promise<void> => {
    cancelled.abort();
    clearInterval(renewing);
    await bounded(opening);
    const open = [...sessions];
    await Promise.all(
      open.map(async (session) => {
        if (!session.open || session.ending || session.tag === undefined) return;
        session.ending = true;
        await bounded(session.channel.cancel(session.tag));
      }),
    );
    if (running() > 0) await idle.promise;
    await Promise.all(open.map(retire));
  };

  return {
    queue: queue.name,
    attach,
    isActive: () =>
      sum(sessions, ({ open, ending, tag }) => Number(open && !ending && tag !== undefined)) > 0,
    cancel: () => {
      cancelling ??= cancel();
      return cancelling;
    },
    stop: () => clearInterval(renewing),
    unanswered: () => sum(sessions, (session) => (session.open ? session.running : 0)),
  };
};

const sum = <T>(items: Iterable<T>, count: (item: T) => number): number => {
  let total = 0;
  for (const item of items) total += count(item);
  return total;
};
