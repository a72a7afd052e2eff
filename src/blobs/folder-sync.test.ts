import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedSync } from './folder-sync.ts';

/** A sync that ends when told to. */
const gated = () => {
  const begun: { folder: string; end: PromiseWithResolvers<void> }[] = [];
  const sync = (folder: string) => {
    const end = Promise.withResolvers<void>();
    begun.push({ folder, end });
    return end.promise;
  };
  return { begun, sync };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('those that come together share one sync; one that comes during it waits for the next', async () => {
  const { begun, sync } = gated();
  const shared = sharedSync(sync);
  const early = Promise.all([shared('a'), shared('a')]);
  await turn();
  assert.equal(begun.length, 1);
  let lateDone = false;
  const late = Promise.all([shared('a'), shared('a')]).then(() => {
    lateDone = true;
  });
  begun[0]?.end.resolve();
  await early;
  await turn();
  assert.equal(lateDone, false);
  assert.equal(begun.length, 2);
  begun[1]?.end.resolve();
  await late;
});

test('a failed sync fails those that shared it, not the next', async () => {
  const { begun, sync } = gated();
  const shared = sharedSync(sync);
  const first = shared('a');
  await turn();
  const second = shared('a');
  begun[0]?.end.reject(new Error('EIO'));
  await assert.rejects(first, /EIO/);
  await turn();
  begun[1]?.end.resolve();
  await second;
});

test('different folders do not wait for each other', async () => {
  const { begun, sync } = gated();
  const shared = sharedSync(sync);
  const both = [shared('a'), shared('b')];
  await turn();
  assert.deepEqual(
    begun.map(({ folder }) => folder),
    ['a', 'b'],
  );
  for (const { end } of begun) end.resolve();
  await Promise.all(both);
});
