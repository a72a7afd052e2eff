import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createBatchQueue } from './batch-queue.ts';

const filled = (count: number, options: { maxBatch: number; maxWaitMs: number }) => {
  const queue = createBatchQueue<number>(options);
  for (let item = 0; item < count; item++) queue.add(item);
  return queue;
};

suite('the batch queue', () => {
  test('shares a backlog among the workers, oldest first', () => {
    const queue = filled(9, { maxBatch: 8, maxWaitMs: 0 });
    const now = performance.now();
    assert.deepEqual(queue.take(3, now), [0, 1, 2]);
    assert.deepEqual(queue.take(2, now), [3, 4], 'half a share once less than a batch waits');
    assert.deepEqual(queue.take(1, now), [5, 6]);
    assert.deepEqual(queue.take(1, now), [7]);
    assert.deepEqual(queue.take(1, now), [8]);
    assert.deepEqual(queue.take(1, now), []);
  });

  test('never makes a batch larger than allowed', () => {
    assert.equal(filled(9, { maxBatch: 4, maxWaitMs: 0 }).take(1, performance.now()).length, 4);
  });

  test('holds back a batch that is not full until the oldest has waited long enough', () => {
    const queue = filled(2, { maxBatch: 3, maxWaitMs: 1000 });
    const due = queue.dueAt() ?? 0;
    assert.deepEqual(queue.take(1, due - 1), []);
    assert.deepEqual(queue.take(1, due), [0, 1]);
    assert.equal(queue.dueAt(), undefined);
    for (let item = 0; item < 3; item++) queue.add(item);
    assert.deepEqual(queue.take(1, performance.now()), [0, 1, 2], 'a full one goes at once');
  });

  test('an item that is to run alone runs first, by itself and without waiting', () => {
    const queue = filled(2, { maxBatch: 8, maxWaitMs: 1000 });
    queue.addAlone(7);
    queue.addAlone(8);
    assert.deepEqual(queue.take(1, performance.now()), [7]);
    assert.deepEqual(queue.clear(), [8, 0, 1]);
    assert.deepEqual(queue.clear(), []);
  });
});
