import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimit, parseRate } from './rate.ts';

/** A limit whose clock stands still until it is moved. */
const atRest = () => {
  let time = 0;
  const limit = createRateLimit(() => time);
  const pass = (ms: number): void => {
    time += ms;
  };
  return { take: limit.take, pass };
};

test('rates as they are written', () => {
  assert.deepEqual(parseRate('10/s'), { requests: 10, windowMs: 1000 });
  assert.deepEqual(parseRate('100/m'), { requests: 100, windowMs: 60_000 });
  assert.deepEqual(parseRate('5000/h'), { requests: 5000, windowMs: 3_600_000 });
  for (const text of ['', '0/s', '-1/s', '10', '10/d', '1.5/s', '10/s ', '10 / s', '99999999/s'])
    assert.equal(parseRate(text), undefined, text);
});

test('a burst of all requests, then an even flow', () => {
  const { take, pass } = atRest();
  const rate = { requests: 4, windowMs: 1000 };
  assert.deepEqual(
    [1, 2, 3, 4].map(() => take('a', rate).remaining),
    [3, 2, 1, 0],
  );
  assert.deepEqual(take('a', rate), { allowed: false, remaining: 0, retryMs: 250, fullMs: 1000 });
  pass(249);
  assert.equal(take('a', rate).allowed, false);
  pass(1);
  assert.deepEqual(take('a', rate), { allowed: true, remaining: 0, retryMs: 250, fullMs: 1000 });
  pass(60_000);
  assert.equal(take('a', rate).remaining, 3);
});

test('one does not use up what is another’s', () => {
  const { take } = atRest();
  const rate = { requests: 1, windowMs: 1000 };
  assert.equal(take('a', rate).allowed, true);
  assert.equal(take('a', rate).allowed, false);
  assert.equal(take('b', rate).allowed, true);
});

test('a rate that is changed holds from the next request on', () => {
  const { take } = atRest();
  for (let n = 0; n < 50; n += 1) take('a', { requests: 100, windowMs: 1000 });
  assert.equal(take('a', { requests: 10, windowMs: 1000 }).remaining, 9);
  assert.equal(take('a', { requests: 1, windowMs: 1000 }).allowed, true);
  assert.equal(take('a', { requests: 1, windowMs: 1000 }).allowed, false);
});

test('any number of addresses takes a bounded memory, and those in use are remembered', () => {
  const { take, pass } = atRest();
  const rate = { requests: 2, windowMs: 1000 };
  for (let n = 0; n < 9_999; n += 1) take(`old ${n}`, rate);
  pass(900);
  take('in use', rate);
  take('in use', rate);
  pass(100);
  // By now the old ones are as good as new, and make room.
  for (let n = 0; n < 9_000; n += 1) take(`new ${n}`, rate);
  assert.equal(take('in use', rate).allowed, false);
});
