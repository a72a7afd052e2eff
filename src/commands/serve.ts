import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '../broker/broker.ts';
import { defaultUrl } from '../client/client.ts';
import type { Config } from '../config.ts';
import { consumerMetrics } from '../observability/consumer-metrics.ts';
import { createLog } from '../observability/log.ts';
import { createMetrics } from '../observability/metrics.ts';
import { observedBroker } from '../observability/observed-broker.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { version } from '../version.ts';
import { startConsumerRole } from './consumer-role.ts';
import { startFileThreads } from './file-threads.ts';
import { searchHeapSeldom } from './heap.ts';
import { untilSignal } from './lifecycle.ts';
import { openBroker } from './open-broker.ts';
import { openTracing } from './open-tracing.ts';
import { listen, startWebRole } from './web-role.ts';

const greeting = (url: string, dataDir: string): string => `
  Gantry ${version} is ready: ${url}

  Try it   npx gantry upload photo.jpg --wait${url === defaultUrl ? '' : ` --url ${url}`}
  or       curl -X POST -F 'image=@photo.jpg' ${url}/upload
  API      ${url}/docs
  Data     ${dataDir}
  Ctrl-C stops it; what is unfinished goes on at the next start.

`;

/** What a queue in this process holds ends with it, so results that lie there are recorded first. */
const resultsRecorded = async (broker: Broker): Promise<void> => {
  while ((await broker.status('results')).messages > 0) await sleep(10);
};

/** `gantry serve`: web server and consumer in one process group; broker, store and images embedded unless set otherwise. */
export const serve = async (config: Config): Promise<void> => {
  startFileThreads();
  searchHeapSeldom();
  const log = createLog(config.logLevel, config.logFormat);
  const metrics = createMetrics('serve');
  const stopTracing = await openTracing(config, 'serve', log);
  const embedded = config.amqpUrl === undefined;
  const broker = observedBroker(openBroker(config, log), metrics, embedded ? 'gantry' : 'rabbitmq');
  // The web first: a data folder in use is found out before a second is spent on loading the model.
  let observe = broker.observe;
  const web = await startWebRole(config, {
    ...{ role: 'serve', broker, log },
    metrics: webMetrics(metrics),
    observe: () => observe(),
  });
  const consumer = await startConsumerRole(config, { metrics: consumerMetrics(metrics), log });
  observe = () => {
    broker.observe();
    consumer.observe();
  };
  const subscription = await consumer.consume(broker);

  const phases = [
    { name: 'requests', run: web.stopAccepting },
    { name: 'images at work', run: subscription.cancel },
    { name: 'results', run: async () => embedded && resultsRecorded(broker) },
    { name: 'pipeline', run: web.stopPipeline },
    { name: 'workers', run: () => consumer.pool.stop() },
    { name: 'broker', run: broker.close },
    { name: 'store', run: web.closeStore },
    { name: 'traces', run: stopTracing },
  ];
  untilSignal(log, config.shutdownTimeout, phases, web.drain);
  const url = await listen(web.app, config);
  if (process.stdout.isTTY) process.stdout.write(greeting(url, config.dataDir));
  const { model } = consumer.pool;
  log.info({ url, dataDir: config.dataDir, model: model.name, workers: config.workers }, 'listening');
};
