import type { Channel, ConsumeMessage } from 'amqplib';
import type { Verdict } from './broker.ts';

/** `failed`: the handler threw; `unseen`: no handler was given it. */
export type Answer = Verdict | 'failed' | 'unseen';

/** The answers to the deliveries of one channel, in as few frames as may be: the broker pays for each. */
export interface Answers {
  /** To be told of every delivery, in their order, before any later one is answered. */
  delivered(message: ConsumeMessage): void;
  /** Sends the answer within this turn of the event loop; nothing once the channel is ending. */
  give(message: ConsumeMessage, answer: Answer): void;
  /** Sends what has been given so far. */
  flush(): void;
}

export const createAnswers = (channel: Pick<Channel, 'ack' | 'nack' | 'reject'>): Answers => {
  /** Unanswered ones, in the order of their delivery; true: to be acknowledged at the next flush. */
  const open = new Map<number, { readonly message: ConsumeMessage; acked: boolean }>();
  let scheduled = false;

  const send = (how: () => void): void => {
    try {
      how();
    } catch {
      // The channel is ending: the broker delivers the message again.
    }
  };

  const flush = (): void => {
    scheduled = false;
    let allSoFar = true;
    let upTo: ConsumeMessage | undefined;
    for (const [tag, { message, acked }] of open) {
      if (!acked) {
        // All up to a message is one frame, but only where nothing before it is at work still.
        allSoFar = false;
        continue;
      }
      open.delete(tag);
      if (allSoFar) upTo = message;
      else send(() => channel.ack(message));
    }
    if (upTo !== undefined) send(() => channel.ack(upTo, true));
  };

  return {
    delivered: (message) => void open.set(message.fields.deliveryTag, { message, acked: false }),
    give: (message, answer) => {
      const entry = open.get(message.fields.deliveryTag);
      if (entry === undefined) return;
      if (answer === 'ack') {
        entry.acked = true;
        // After whatever else is answered by what has just happened, such as one transaction for many.
        if (!scheduled) process.nextTick(flush);
        scheduled = true;
        return;
      }
      open.delete(message.fields.deliveryTag);
      if (answer === 'dead-letter') send(() => channel.nack(message, false, false));
      // RabbitMQ 4.3 counts a reject towards the delivery limit and a nack not; before, both count.
      else if (answer === 'failed') send(() => channel.reject(message, true));
      else send(() => channel.nack(message, false, true));
    },
    flush,
  };
};
