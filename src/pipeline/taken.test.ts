import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryBroker } from '../broker/memory.ts';
import { createMetrics } from '../observability/metrics.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { jobOf, log, newImage, openStore } from './jobs.testing.ts';
import { encode, parseReport } from './message.ts';
import { startRecording } from './record.ts';
import { countTaken, tellAfterMs, tellTaken } from './taken.ts';

test('what takes long is told of, all in one message; what has ended by then is not', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const pass = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  const messages: unknown[] = [];
  const taken = tellTaken({ hint: (_, body) => void messages.push(parseReport(body)) }, 50);
  const [first, quick, second, later] = [newImage(), newImage(), newImage(), newImage()];
  taken(jobOf(first));
  taken(jobOf(quick))();
  taken(jobOf(second, 3));
  pass(20);
  const laterEnded = taken(jobOf(later));
  pass(29);
  assert.deepEqual(messages, []);
  pass(1);
  const begun = { version: 1, generation: 1, kind: 'processing' };
  const others = [{ id: second.id, generation: 1, attempt: 3 }];
  assert.deepEqual(messages.splice(0), [{ ...begun, id: first.id, attempt: 1, others }]);
  laterEnded();
  pass(60);
  assert.deepEqual(messages, []);
  taken(jobOf(later));
  pass(50);
  assert.deepEqual(messages, [{ ...begun, id: later.id, attempt: 1 }]);
});

test('hints of one and of several attempts are recorded', async () => {
  const store = await openStore();
  const broker = memoryBroker();
  const metrics = webMetrics(createMetrics('web'));
  const recording = await startRecording({
    ...{ store, broker, metrics, log, changed: () => undefined, recorded: () => undefined, maxAttempts: 5 },
  });
  const [alone, one, another] = [newImage(), newImage(), newImage()];
  await store.accept([{ images: [alone, one, another] }], 60_000);
  const hint = { version: 1, generation: 1, kind: 'processing' } as const;
  await broker.publish('results', encode({ ...hint, id: alone.id, attempt: 1 }));
  const others = [{ id: another.id, generation: 1, attempt: 2 }];
  await broker.publish('results', encode({ ...hint, id: one.id, attempt: 1, others }));
  while ((await broker.status('results')).messages > 0) await new Promise(setImmediate);
  await recording.cancel();
  const seen = await Promise.all([alone, one, another].map(({ id }) => store.image(id)));
  assert.deepEqual(
    seen.map((image) => [image?.state, image?.attempts]),
    [
      ['processing', 1],
      ['processing', 1],
      ['processing', 2],
    ],
  );
  await store.close();
});

test('what ended lately stands for what is not told of yet', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const store = await openStore();
  const [told, untold, ended] = [newImage(), newImage(), newImage()];
  await store.accept([{ images: [told, untold, ended] }], 60_000);
  const of = { version: 1, generation: 1, attempt: 1 } as const;
  await store.started([{ ...of, id: told.id, kind: 'processing' }]);
  const begin = new Date(0).toISOString();
  assert.equal(await countTaken(store, begin), 1);
  const error = { code: 'undecodable', message: 'cut off' };
  await store.record([{ ...of, id: ended.id, kind: 'failed', error, picture: null }]);
  assert.equal(await countTaken(store, begin), 2);
  t.mock.timers.tick(3 * tellAfterMs);
  assert.equal(await countTaken(store, begin), 1);
  await store.close();
});
