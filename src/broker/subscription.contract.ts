import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { eventually, numbers, publishAll, settle, take, text, within } from './broker.probe.ts';
import type { Broker, Verdict } from './broker.ts';

/** The part of the broker's contract about how many handlers run, and about their end. */
export const subscriptionCases = (
  check: (what: string, run: (broker: Broker) => Promise<void>) => void,
): void => {
  check('no more than `prefetch` handlers run at once, and as many as that', async (broker) => {
    let running = 0;
    let most = 0;
    let done = 0;
    const all = Promise.withResolvers<void>();
    const full = Promise.withResolvers<void>();
    await publishAll(broker, 'images', numbers(30));
    await broker.consume('images', { prefetch: 3 }, async () => {
      running += 1;
      most = Math.max(most, running);
      if (running === 3) full.resolve();
      await full.promise;
      await turn();
      running -= 1;
      done += 1;
      if (done === 30) all.resolve();
      return 'ack';
    });
    await within(all.promise, 'all handlers');
    assert.equal(most, 3);
  });

  check('cancel waits for the handlers that run and leaves the rest', async (broker) => {
    await publishAll(broker, 'images', numbers(6));
    const begun: string[] = [];
    const two = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<Verdict>();
    const subscription = await broker.consume('images', { prefetch: 2 }, async (delivery) => {
      begun.push(text(delivery));
      if (begun.length === 2) two.resolve();
      return gate.promise;
    });
    await within(two.promise, 'two handlers');
    let cancelled = false;
    const cancelling = subscription.cancel().then(() => {
      cancelled = true;
    });
    await settle(broker);
    assert.equal(cancelled, false);
    gate.resolve('ack');
    await within(cancelling, 'cancel');
    assert.deepEqual((await take(broker, 'images', 4)).map(text), ['2', '3', '4', '5']);
    assert.deepEqual(begun, ['0', '1']);
  });

  check('a subscription is active until it is cancelled', async (broker) => {
    const subscription = await broker.consume('images', { prefetch: 1 }, async () => 'ack');
    await eventually('a subscription that is active', async () => subscription.isActive());
    await subscription.cancel();
    assert.equal(subscription.isActive(), false);
  });

  check('two consumers share a queue; each message goes to one of them', async (broker) => {
    await publishAll(broker, 'images', numbers(100));
    const taken: string[] = [];
    const busy = new Set<string>();
    const both = Promise.withResolvers<void>();
    const all = Promise.withResolvers<void>();
    for (const consumer of ['a', 'b']) {
      await broker.consume('images', { prefetch: 1 }, async (delivery) => {
        busy.add(consumer);
        if (busy.size === 2) both.resolve();
        await both.promise;
        taken.push(text(delivery));
        if (taken.length === 100) all.resolve();
        return 'ack';
      });
    }
    await within(all.promise, 'all messages');
    assert.deepEqual(
      taken
        .map(Number)
        .sort((a, b) => a - b)
        .map(String),
      numbers(100),
    );
  });

  check('cancel may be called again, and by the handler itself', async (broker) => {
    await publishAll(broker, 'images', ['1', '2']);
    const ended = Promise.withResolvers<void>();
    const subscription = broker.consume('images', { prefetch: 1 }, async () => {
      (await subscription).cancel().then(ended.resolve, ended.reject);
      return 'ack';
    });
    await within(ended.promise, 'the end of the subscription');
    await within((await subscription).cancel(), 'a second cancel');
    assert.deepEqual((await take(broker, 'images', 1)).map(text), ['2']);
  });
};
