import type { KeyRing } from '../access/key-ring.ts';
import type { Blobs } from '../blobs/blobs.ts';
import type { Broker } from '../broker/broker.ts';
import type { Config } from '../config.ts';
import { fromZero } from '../observability/from-zero.ts';
import type { Logger } from '../observability/log.ts';
import type { WebMetrics } from '../observability/web-metrics.ts';
import { createConfirmed } from '../pipeline/confirmed.ts';
import { createDispatcher } from '../pipeline/dispatch.ts';
import { createFinish } from '../pipeline/finish.ts';
import { startRecording } from '../pipeline/record.ts';
import { startRecount } from '../pipeline/recount.ts';
import { startRelay } from '../pipeline/relay.ts';
import { startRetention } from '../pipeline/retain.ts';
import { createSubmit } from '../pipeline/submit.ts';
import { startSweep } from '../pipeline/sweep.ts';
import { startTendingUploads } from '../pipeline/tend-uploads.ts';
import type { Store } from '../store/store.ts';
import { createAdmission } from './admission.ts';
import { buildApp } from './app.ts';
import type { App, WebContext } from './context.ts';
import { startEventFeed } from './event-feed.ts';
import { createObserver } from './observe.ts';
import { uploadOutcomes } from './problem-codes.ts';
import { flowMs } from './summary.ts';
import { createSystem, type System } from './system.ts';

export interface WebParts extends Pick<WebContext, 'models' | 'version'> {
  readonly role: System['role'];
  readonly config: Config;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly broker: Broker;
  readonly metrics: WebMetrics;
  readonly log: Logger;
  /** Undefined: everything is open. */
  readonly keys?: KeyRing;
  /** Brings the gauges of other parts up to date before a scrape. */
  readonly observe?: () => void;
}

export interface Web {
  readonly app: App;
  /** From now on not ready. */
  drain(): void;
  /** Ends requests and event streams, takes no more. */
  stopAccepting(): Promise<void>;
  /** Publishes what is under way, records what was delivered, then stops recording, relaying and sweeping. */
  stopPipeline(): Promise<void>;
}

/** How long a complete upload waits for its client to finish it before the sweep does (ms). */
const untendedMs = 60_000;

/** The web server's side of the pipeline, running, and its app, listening to nothing yet. */
export const startWeb = async (parts: WebParts): Promise<Web> => {
  const { config, store, blobs, broker, metrics, log, models, version } = parts;
  let draining = false;
  const feed = startEventFeed(store, log);
  const changed = feed.wake;
  const confirmed = createConfirmed(store, log);
  const { dispatch, flush } = createDispatcher(confirmed, broker, metrics, log);
  const relay = startRelay({ store, broker, dispatch, log });
  const { maxAttempts } = config;
  const recording = await startRecording({
    ...{ store, broker, metrics, log, changed, maxAttempts },
    recorded: confirmed.recorded,
  });
  store.onChange(() => {
    feed.wake();
    relay.wake();
  });
  const retention = startRetention({
    store,
    blobs,
    log,
    intervalMs: config.sweepInterval,
    keepOriginalsMs: config.keepOriginals,
    keepResultsMs: config.keepResults,
    changed,
  });
  const sweep = startSweep({
    store,
    broker,
    metrics,
    log,
    intervalMs: config.sweepInterval,
    overdueAfterMs: config.overdueAfter,
    keepEventsMs: config.keepEvents,
    newestEnded: recording.newestEnded,
    settle: confirmed.settle,
    requeued: relay.wake,
  });
  const recount = startRecount({
    ...{ store, log, intervalMs: config.sweepInterval, keepFlowMs: flowMs },
    // A file is ours alone.
    shared: config.databaseUrl !== undefined,
  });
  const submit = createSubmit(store, dispatch, changed);
  const finish = createFinish({
    store,
    blobs,
    submit,
    log,
    maxFileBytes: config.maxFileBytes,
    pipeline: models[0].name,
    onAccepted({ id, bytes, contentType }, { keyId }) {
      metrics.uploads.inc({ outcome: 'accepted' });
      metrics.uploadedBytes.inc(bytes);
      log.info({ imageId: id, bytes, contentType, ...(keyId !== undefined && { keyId }) }, 'image accepted');
    },
    onRefused: (outcome) => metrics.uploads.inc({ outcome }),
  });
  const tending = startTendingUploads({
    store,
    blobs,
    finish,
    log,
    intervalMs: config.sweepInterval,
    idleMs: untendedMs,
    rememberMs: config.keepUploads,
  });
  metrics.storageReserve.set(config.minFreeBytes);
  fromZero(metrics.uploads, 'outcome', uploadOutcomes);
  const { keys } = parts;
  if (keys === undefined) metrics.keyFileUsable.remove();
  metrics.results.expectLabels(models.flatMap(({ labels }) => labels));
  const observe = createObserver({ store, blobs, broker, metrics });
  const app = await buildApp({
    store,
    blobs,
    submit,
    finish,
    dispatch,
    queued: relay.wake,
    admission: createAdmission(store, blobs, config),
    feed,
    changed,
    metrics,
    async observe() {
      parts.observe?.();
      if (keys) metrics.keyFileUsable.set(Number(keys.usable()));
      await observe();
    },
    system: createSystem({ ...parts, keys: parts.keys !== undefined }),
    log,
    version,
    models,
    limits: {
      maxFileBytes: config.maxFileBytes,
      maxFiles: config.maxFiles,
      requestTimeoutMs: config.requestTimeout,
      keepUploadsMs: config.keepUploads,
    },
    access: {
      host: config.host,
      keys,
      metricsOpen: config.metricsOpen,
      corsOrigins: config.corsOrigins ?? [],
      trustedProxies: config.trustedProxies ?? [],
    },
    draining: () => draining,
  });
  return {
    app,
    drain() {
      draining = true;
    },
    stopAccepting: () => app.close(),
    async stopPipeline() {
      await Promise.all([relay.stop(), sweep.stop(), retention?.stop(), tending.stop(), recount.stop()]);
      await Promise.all([flush(), recording.cancel()]);
    },
  };
};
