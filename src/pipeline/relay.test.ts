import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Broker, PublishError } from '../broker/broker.ts';
import { memoryBroker } from '../broker/memory.ts';
import type { Store } from '../store/store.ts';
import { dispatching, newImage, openStore, relaying, settled, take } from './jobs.testing.ts';
import type { Job } from './message.ts';
import { createSubmit } from './submit.ts';

test('a submitted image is published at once and leaves the outbox', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const submit = createSubmit(store, dispatching(store, broker), () => undefined);
  const image = newImage();
  assert.deepEqual(await submit({ images: [image] }), { kind: 'accepted' });
  const [job] = await take(broker, 1);
  assert.equal(job?.id, image.id);
  assert.equal(job?.blob, image.blob);
  await settled(store);
  await store.close();
});

test('while the broker is away uploads are accepted; the relay delivers them later, in order', async () => {
  const store = await openStore();
  const real = memoryBroker();
  let away = true;
  const broker: Broker = {
    ...real,
    publish: async (...message) => {
      if (away) throw new PublishError('timed-out', 'away');
      return real.publish(...message);
    },
  };
  const dispatch = dispatching(store, broker);
  // Lease 0: the rows are the relay's at once, not only after what a submitter may need.
  const leaseless: Store = { ...store, accept: (submissions) => store.accept(submissions, 0) };
  const submit = createSubmit(leaseless, dispatch, () => undefined);
  const images = [newImage(), newImage(), newImage()];
  for (const image of images) assert.equal((await submit({ images: [image] })).kind, 'accepted');
  assert.equal(await dispatch({ ...(await store.claimOutbox(3, 0))[0] } as Job), false);
  assert.equal((await store.outstanding()).outbox, 3);
  away = false;
  const relay = relaying(store, broker);
  relay.wake();
  const jobs = await take(real, 3);
  assert.deepEqual(
    jobs.map(({ id }) => id),
    images.map(({ id }) => id),
  );
  await relay.stop();
  await settled(store);
  await store.close();
});

test('the relay leaves the outbox alone while the broker is away, so that the order stays', async () => {
  const store = await openStore();
  const broker: Broker = { ...memoryBroker(), isConnected: () => false };
  await store.accept([{ images: [newImage()] }], 0);
  const relay = relaying(store, broker);
  relay.wake();
  await relay.stop();
  assert.equal((await store.claimOutbox(10, 0)).length, 1);
  await store.close();
});
