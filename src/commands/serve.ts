import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import { memoryBroker } from '../broker/memory.ts';
import type { Model } from '../classifier/manifest.ts';
import type { Config } from '../config.ts';
import { startConsumer } from '../consumer/consumer.ts';
import { type PoolEvent, startWorkerPool } from '../consumer/worker-pool.ts';
import { createLog } from '../observability/log.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { openSqliteStore } from '../store/sqlite.ts';
import { version } from '../version.ts';
import type { App } from '../web/context.ts';
import type { ModelInfo } from '../web/model-info.ts';
import { startWeb } from '../web/start-web.ts';
import { takeDataFolder, writableFolder } from './data-folder.ts';
import { StartError, untilSignal } from './lifecycle.ts';

/** Listens and returns the address as a person would type it. */
const listen = async (app: App, { host, port }: Config): Promise<string> => {
  await app.listen({ host, port }).catch((cause: NodeJS.ErrnoException) => {
    const why: Readonly<Record<string, string>> = {
      EADDRINUSE: `port ${port} is in use; choose another with --port`,
      EACCES: `port ${port} may not be opened by this user; choose another with --port`,
      EADDRNOTAVAIL: `this machine has no address ${host}; choose another with --host`,
      ENOTFOUND: `there is no host ${host}; choose another with --host`,
    };
    throw new StartError(why[cause.code ?? ''] ?? `cannot listen on ${host}:${port}: ${cause.message}`, {
      cause,
    });
  });
  const { address, family, port: taken } = app.server.address() as AddressInfo;
  const local = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(address);
  return `http://${local ? 'localhost' : family === 'IPv6' ? `[${address}]` : address}:${taken}`;
};

const countPoolEvents =
  ({ batchSize, workerRestarts }: Metrics) =>
  (event: PoolEvent): void => {
    if (event.kind === 'batch-started') batchSize.observe(event.pictures);
    if (event.kind === 'restarted') workerRestarts.inc({ reason: event.reason });
  };

const describe = ({ outputs, ...model }: Model): ModelInfo => {
  const { name, version, digest, description, licence, accuracy } = model;
  return { name, version, digest, description, labels: outputs.scores.labels, licence, accuracy };
};

const greeting = (url: string, dataDir: string): string => `
  Gantry ${version} is ready: ${url}

  Try it   curl -X POST -F 'image=@photo.jpg' ${url}/upload
  API      ${url}/docs
  Data     ${dataDir}
  Ctrl-C stops it; what is unfinished goes on at the next start.

`;

/** `gantry serve`: web server, embedded broker, SQLite store, file-system blobs and inference workers in one process group. */
export const serve = async (config: Config): Promise<void> => {
  const log = createLog(config.logLevel, config.logFormat);
  const metrics = createMetrics();
  takeDataFolder(config.dataDir);
  writableFolder(config.imagesDir);
  const blobs = filesystemBlobs(config.imagesDir);
  await blobs.prepare();
  const store = await openSqliteStore(join(config.dataDir, 'gantry.db'));
  const broker = memoryBroker({ log });
  const pool = await startWorkerPool({
    workers: config.workers,
    modelDir: config.model,
    imagesDir: config.imagesDir,
    maxBatch: config.maxBatch,
    maxWaitMs: config.maxWaitMs,
    deadlineMs: config.jobDeadline,
    memoryLimitBytes: config.workerMemory,
    maxPixels: config.maxPixels,
    log,
    onEvent: countPoolEvents(metrics),
  });
  const { model } = pool;
  const observe = (): void => {
    for (const [worker, { rssBytes }] of pool.stats().entries())
      metrics.workerMemory.set({ worker }, rssBytes);
  };
  const web = await startWeb({
    config,
    store,
    blobs,
    broker,
    metrics,
    log,
    observe,
    models: [describe(model)],
    version,
  });
  const prefetch = (config.workers + 1) * config.maxBatch;
  const { classifier } = pool;
  const { maxAttempts } = config;
  const consumer = await startConsumer({ broker, classifier, metrics, log, maxAttempts }, prefetch);

  const phases = [
    { name: 'requests', run: web.stopAccepting },
    { name: 'images at work', run: consumer.cancel },
    { name: 'results', run: web.stopPipeline },
    { name: 'workers', run: () => pool.stop() },
    { name: 'broker', run: broker.close },
    { name: 'store', run: store.close },
  ];
  untilSignal(log, config.shutdownTimeout, phases, web.drain);
  const url = await listen(web.app, config);
  if (process.stdout.isTTY) process.stdout.write(greeting(url, config.dataDir));
  log.info({ url, dataDir: config.dataDir, model: model.name, workers: config.workers }, 'listening');
};
