import type { Blobs } from '../blobs/blobs.ts';
import type { Broker } from '../broker/broker.ts';
import { topology } from '../broker/topology.ts';
import type { WebMetrics } from '../observability/web-metrics.ts';
import type { Store } from '../store/store.ts';
import { within } from '../within.ts';
import { cached } from './cached.ts';

/** Prometheus gives a scrape 10 s, so what one dependency costs at its worst must be far less. */
const limitMs = 2_000;

/** Seconds since then, 0 if there is nothing that old. */
const age = (since: string | null): number =>
  since === null ? 0 : Math.max(0, Date.now() - Date.parse(since)) / 1000;

export interface Observed {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly broker: Broker;
  readonly metrics: WebMetrics;
}

const observe = async ({ store, blobs, broker, metrics }: Observed): Promise<void> => {
  const fromStore = [
    metrics.unfinished,
    metrics.oldestUnfinishedSeconds,
    metrics.deadImages,
    metrics.outbox,
    metrics.oldestOutboxSeconds,
  ];
  const ask = async (
    dependency: 'store' | 'storage' | 'broker',
    gauges: readonly { remove(): void }[],
    read: () => Promise<void>,
  ): Promise<void> => {
    const up = await within(read(), limitMs).then(
      () => true,
      () => false,
    );
    metrics.dependencyUp.set({ dependency }, Number(up));
    if (up) return;
    for (const gauge of gauges) gauge.remove();
  };
  const fromBroker = [metrics.queueMessages, metrics.queueConsumers].flatMap((gauge) =>
    topology.map(({ name: queue }) => ({ remove: () => gauge.remove({ queue }) })),
  );
  await Promise.all([
    ask('store', fromStore, async () => {
      const { images, oldestCreatedAt, dead, outbox, oldestOutboxAt } = await store.outstanding();
      metrics.unfinished.set(images);
      metrics.oldestUnfinishedSeconds.set(age(oldestCreatedAt));
      metrics.deadImages.set(dead);
      metrics.outbox.set(outbox);
      metrics.oldestOutboxSeconds.set(age(oldestOutboxAt));
    }),
    ask('storage', [metrics.storageFree], async () => {
      const bytes = await blobs.freeBytes();
      if (bytes === undefined) metrics.storageFree.remove();
      else metrics.storageFree.set(bytes);
    }),
    ask('broker', fromBroker, async () => {
      const counts = await Promise.all(
        topology.map(async ({ name }) => [name, await broker.status(name)] as const),
      );
      for (const [queue, { messages, consumers }] of counts) {
        metrics.queueMessages.set({ queue }, messages);
        metrics.queueConsumers.set({ queue }, consumers);
      }
    }),
  ]);
};

/**
 * Brings the gauges of store, storage and broker up to date, for a scrape. Never throws, and takes 2 s at most: what
 * cannot be asked loses its gauges, and `gantry_dependency_up` tells. Scrapes at the same time share one look, so that
 * any number of scrapers costs store and broker no more than one.
 */
export const createObserver = (observed: Observed): (() => Promise<void>) =>
  cached(() => observe(observed), 0);
