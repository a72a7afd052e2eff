import type { AddressInfo } from 'node:net';
import type { Broker } from '../broker/broker.ts';
import { loadModel, type Model } from '../classifier/manifest.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../observability/log.ts';
import type { WebMetrics } from '../observability/web-metrics.ts';
import { version } from '../version.ts';
import type { App } from '../web/context.ts';
import type { ModelInfo } from '../web/model-info.ts';
import { startWeb, type Web, type WebParts } from '../web/start-web.ts';
import { StartError } from './lifecycle.ts';
import { openBlobsForUploads } from './open-blobs.ts';
import { openKeys } from './open-keys.ts';
import { openStore } from './open-store.ts';

/** Listens and returns the address as a person would type it. Throws {@link StartError}. */
export const listen = async (app: App, { host, port }: Config): Promise<string> => {
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

const describe = (model: Model): ModelInfo => {
  const { name, version, digest, description, outputs, licence, preprocess, topLabels, card, accuracy } =
    model;
  const { width, height } = preprocess.crop;
  return {
    ...{ name, version, digest, description, labels: outputs.scores.labels, licence },
    input: { width, height },
    classes: topLabels.length,
    card: card === undefined ? null : { ...card, labelMix: card.labelMix ?? null },
    accuracy,
  };
};

export interface WebRole extends Web {
  closeStore(): Promise<void>;
}

interface WebRoleParts extends Pick<WebParts, 'role'> {
  readonly broker: Broker;
  readonly metrics: WebMetrics;
  readonly log: Logger;
  readonly observe?: () => void;
  /** Whether it may have to wait for one that is stopping and has its SQLite still. */
  readonly successor?: boolean;
}

/** Store, images and the web server's side of the pipeline, running; its app listens to nothing yet. */
export const startWebRole = async (
  config: Config,
  { role, broker, metrics, log, observe, successor = false }: WebRoleParts,
): Promise<WebRole> => {
  const keys = await openKeys(config, log);
  const model = await loadModel(config.model);
  const store = await openStore(config, log, { successor });
  const blobs = await openBlobsForUploads(config);
  const models: [ModelInfo] = [describe(model)];
  const parts = { role, config, store, blobs, broker, metrics, log, models, version, ...(keys && { keys }) };
  const web = await startWeb({ ...parts, ...(observe === undefined ? {} : { observe }) });
  return {
    ...web,
    async closeStore() {
      await keys?.stop();
      await store.close();
    },
  };
};
