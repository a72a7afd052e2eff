import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cached } from './cached.ts';

/** Answers that a test gives by hand. */
const byHand = () => {
  const asked: PromiseWithResolvers<string>[] = [];
  const read = (): Promise<string> => {
    const answer = Promise.withResolvers<string>();
    asked.push(answer);
    return answer.promise;
  };
  return { asked, read };
};

test('an answer is shared while it is fresh', async () => {
  const { asked, read } = byHand();
  const ask = cached(read, 3_600_000);
  const [one, two] = [ask(), ask()];
  asked[0]?.resolve('first');
  assert.deepEqual([await one, await two, await ask()], ['first', 'first', 'first']);
  assert.equal(asked.length, 1);
});

test('one that is no longer fresh is asked for anew, but not while it is under way', async () => {
  const { asked, read } = byHand();
  const ask = cached(read, -1);
  const [one, two] = [ask(), ask()];
  assert.equal(asked.length, 1);
  asked[0]?.resolve('first');
  assert.deepEqual([await one, await two], ['first', 'first']);
  const three = ask();
  asked[1]?.resolve('second');
  assert.equal(await three, 'second');
});

test('a failure is told to all who wait, and not kept', async () => {
  const { asked, read } = byHand();
  const ask = cached(read, 3_600_000);
  const waiting = [ask(), ask()];
  asked[0]?.reject(new Error('away'));
  for (const one of waiting) await assert.rejects(one, /away/);
  const next = ask();
  asked[1]?.resolve('back');
  assert.equal(await next, 'back');
});
