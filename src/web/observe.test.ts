import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import { memoryBroker } from '../broker/memory.ts';
import { createMetrics } from '../observability/metrics.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { createObserver } from './observe.ts';

test('what cannot be asked loses its gauges, and the rest is told', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-observe-'));
  const store = await openSqliteStore(join(dir, 'gantry.db'));
  const [broker, blobs] = [memoryBroker(), filesystemBlobs(dir)];
  const metrics = webMetrics(createMetrics('web'));
  const observe = createObserver({ store, blobs, broker, metrics });
  const scrape = async (): Promise<string[]> => {
    await observe();
    const lines = (await metrics.registry.metrics()).split('\n');
    return lines.filter((line) =>
      /^gantry_(dependency|outbox|images_dead|queue_messages|storage_free)/.test(line),
    );
  };
  const free = (lines: readonly string[]) => lines.find((line) => line.startsWith('gantry_storage_free'));
  try {
    const whole = await scrape();
    assert.ok(whole.includes('gantry_outbox_rows 0'));
    assert.ok(whole.includes('gantry_images_dead 0'));
    assert.ok(whole.includes('gantry_queue_messages{queue="images"} 0'));
    assert.match(free(whole) ?? '', / \d{6,}/);

    await broker.close();
    await store.close();
    const cut = await scrape();
    for (const [dependency, up] of Object.entries({ store: 0, broker: 0, storage: 1 }))
      assert.ok(cut.includes(`gantry_dependency_up{dependency="${dependency}"} ${up}`), cut.join('\n'));
    assert.equal(cut.length, 4, cut.join('\n'));
    assert.match(free(cut) ?? '', / \d{6,}/);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('scrapes at once ask once', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-observe-'));
  const store = await openSqliteStore(join(dir, 'gantry.db'));
  const [broker, blobs, metrics] = [memoryBroker(), filesystemBlobs(dir), webMetrics(createMetrics('web'))];
  let asked = 0;
  const counted = {
    ...store,
    outstanding() {
      asked += 1;
      return store.outstanding();
    },
  };
  const observe = createObserver({ store: counted, blobs, broker, metrics });
  try {
    await Promise.all(Array.from({ length: 50 }, observe));
    assert.equal(asked, 1);
    await observe();
    assert.equal(asked, 2);
  } finally {
    await broker.close();
    await store.close();
    await rm(dir, { recursive: true, force: true });
  }
});
