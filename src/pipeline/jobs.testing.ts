import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Broker } from '../broker/broker.ts';
import { createMetrics } from '../observability/metrics.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { NewImage, Store } from '../store/store.ts';
import { createConfirmed } from './confirmed.ts';
import { createDispatcher, type Dispatch } from './dispatch.ts';
import { type Job, parseJob } from './message.ts';
import { startRelay } from './relay.ts';

export const log = pino({ level: 'silent' });
export const metrics = webMetrics(createMetrics('web'));

export const newImage = (): NewImage => {
  const id = uuidv7();
  const facts = { filename: 'a.png', contentType: 'image/png', bytes: 3, sha256: 'ab', pipeline: 'pets' };
  return { id, blob: `2026/11/23/${id}.png`, ...facts };
};
export const jobOf = ({ id }: { id: string }, attempt = 1): Job => ({
  ...{ version: 1, id, blob: 'x.png', contentType: 'image/png', bytes: 3, pipeline: 'pets' },
  ...{ generation: 1, attempt, submittedAt: new Date().toISOString() },
});
export const openStore = async (): Promise<Store> =>
  openSqliteStore(join(await mkdtemp(join(tmpdir(), 'gantry-outbox-')), 'gantry.db'));

/** The next `count` jobs of the queue. */
export const take = async (broker: Broker, count: number): Promise<Job[]> => {
  const jobs: Job[] = [];
  const all = Promise.withResolvers<void>();
  const subscription = await broker.consume('images', { prefetch: 10 }, async ({ body }) => {
    if (jobs.push(parseJob(body)) >= count) all.resolve();
    return 'ack';
  });
  await all.promise;
  await subscription.cancel();
  return jobs;
};

export const dispatching = (store: Store, broker: Broker): Dispatch =>
  createDispatcher(createConfirmed(store, log), broker, metrics, log).dispatch;
export const relaying = (store: Store, broker: Broker) =>
  startRelay({ store, broker, dispatch: dispatching(store, broker), log, intervalMs: 3_600_000 });

/** Everything the store knows is published and confirmed. */
export const settled = async (store: Store): Promise<void> => {
  while ((await store.outstanding()).outbox > 0) await new Promise((resolve) => setImmediate(resolve));
};
