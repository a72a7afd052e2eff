import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumeMessage } from 'amqplib';
import { createAnswers } from './rabbitmq-answers.ts';

/** What was sent, in the words of AMQP. */
const channel = () => {
  const sent: string[] = [];
  const tag = ({ fields }: ConsumeMessage): number => fields.deliveryTag;
  return {
    sent,
    ack: (message: ConsumeMessage, all = false) =>
      void sent.push(`ack ${all ? 'up to ' : ''}${tag(message)}`),
    nack: (message: ConsumeMessage, all = true, requeue = true) =>
      void sent.push(`nack ${tag(message)}${all ? ' all' : ''}${requeue ? ' requeue' : ''}`),
    reject: (message: ConsumeMessage, requeue = true) =>
      void sent.push(`reject ${tag(message)}${requeue ? ' requeue' : ''}`),
  };
};
const deliveries = (count: number): ConsumeMessage[] =>
  Array.from({ length: count }, (_, n) => ({ fields: { deliveryTag: n + 1 } }) as ConsumeMessage);

const opened = (count: number) => {
  const to = channel();
  const answers = createAnswers(to);
  const messages = deliveries(count);
  for (const message of messages) answers.delivered(message);
  const give = (answer: Parameters<typeof answers.give>[1], ...tags: number[]) => {
    for (const tag of tags) answers.give(messages[tag - 1] as ConsumeMessage, answer);
  };
  const sent = async (): Promise<string[]> => {
    await new Promise(setImmediate);
    return to.sent.splice(0);
  };
  return { answers, give, sent };
};

test('what is acknowledged in one go is one frame, up to the first that is at work still', async () => {
  const { give, sent } = opened(8);
  give('ack', 3, 1, 2, 5, 8);
  assert.deepEqual(await sent(), ['ack 5', 'ack 8', 'ack up to 3']);
  give('ack', 4);
  assert.deepEqual(await sent(), ['ack up to 4']);
  give('ack', 7, 6);
  assert.deepEqual(await sent(), ['ack up to 7']);
});

test('other answers go at once, each by itself, and are no part of what is acknowledged together', async () => {
  const { give, answers, sent } = opened(6);
  give('ack', 1, 3);
  give('failed', 2);
  give('dead-letter', 4);
  give('unseen', 6);
  give('ack', 4);
  answers.flush();
  assert.deepEqual(await sent(), ['reject 2 requeue', 'nack 4', 'nack 6 requeue', 'ack up to 3']);
});

test('a channel that ends takes no answers, and nobody is hurt', async () => {
  const ended = (): never => {
    throw new Error('Channel closed');
  };
  const answers = createAnswers({ ack: ended, nack: ended, reject: ended });
  const [one, two] = deliveries(2) as [ConsumeMessage, ConsumeMessage];
  for (const message of [one, two]) answers.delivered(message);
  answers.give(one, 'ack');
  answers.give(two, 'failed');
  await new Promise(setImmediate);
});
