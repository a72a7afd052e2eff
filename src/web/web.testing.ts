import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { type ApiKey, createKey, type Scope } from '../access/api-key.ts';
import { changeKeys } from '../access/key-file.ts';
import { openKeyRing } from '../access/key-ring.ts';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import { memoryBroker } from '../broker/memory.ts';
import { loadConfig } from '../config.ts';
import { createMetrics } from '../observability/metrics.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import type { ModelInfo } from './model-info.ts';
import { startWeb } from './start-web.ts';

const accuracy = { data: 'none', images: 0, overall: 0, perLabel: {} };
const model: ModelInfo = {
  ...{ name: 'pets', version: '1', digest: 'd', description: '', labels: [], licence: 'MIT', accuracy },
  ...{ input: { width: 1, height: 1 }, classes: 0, card: null },
};

/** A key and its entry in the file; `id` is also its name. */
export const madeKey = (
  scopes: readonly Scope[],
  change: Partial<ApiKey> = {},
): { key: string; entry: ApiKey } => {
  const { id, key, sha256 } = createKey();
  const entry = {
    id,
    name: id,
    sha256,
    scopes,
    createdAt: '2026-01-01T00:00:00Z',
    expiresAt: null,
    rate: null,
  };
  return { key, entry: { ...entry, ...change } };
};

/**
 * The web server on real adapters, with these API keys, or none at all; no consumer, so what is accepted stays queued.
 * It ends with the test.
 */
export const openWeb = async (
  t: TestContext,
  { keys, environment = {} }: { keys?: readonly ApiKey[]; environment?: NodeJS.ProcessEnv } = {},
) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-web-'));
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const log = pino({}, sink);
  const keyFile = join(dir, 'keys.json');
  const setKeys = (entries: readonly ApiKey[]) => changeKeys(keyFile, () => entries);
  if (keys) await setKeys(keys);
  const ring = keys && (await openKeyRing(keyFile, log, 5));
  const config = loadConfig({ GANTRY_MIN_FREE_BYTES: '1', ...environment });
  const blobs = filesystemBlobs(join(dir, 'images'));
  await blobs.prepare();
  const store = await openSqliteStore(join(dir, 'gantry.db'));
  const broker = memoryBroker();
  const metrics = webMetrics(createMetrics('web'));
  const role = 'web' as const;
  const parts = {
    role,
    config,
    store,
    blobs,
    broker,
    metrics,
    log,
    version: '0',
    ...(ring && { keys: ring }),
  };
  const web = await startWeb({ ...parts, models: [model] });
  t.after(async () => {
    await web.stopAccepting();
    await web.stopPipeline();
    await ring?.stop();
    await broker.close();
    await store.close();
    await rm(dir, { recursive: true });
  });
  return { app: web.app, store, dir, lines, setKeys, breakKeys: () => writeFile(keyFile, '{') };
};
