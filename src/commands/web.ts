import type { Config } from '../config.ts';
import { createLog } from '../observability/log.ts';
import { createMetrics } from '../observability/metrics.ts';
import { observedBroker } from '../observability/observed-broker.ts';
import { webMetrics } from '../observability/web-metrics.ts';
import { startFileThreads } from './file-threads.ts';
import { searchHeapSeldom } from './heap.ts';
import { untilSignal } from './lifecycle.ts';
import { openRabbitmq } from './open-broker.ts';
import { openTracing } from './open-tracing.ts';
import { listen, startWebRole } from './web-role.ts';

/** `gantry web`: takes uploads, owns the store, publishes jobs and records results. Any number on PostgreSQL, one on SQLite. */
export const web = async (config: Config): Promise<void> => {
  startFileThreads();
  searchHeapSeldom();
  const log = createLog(config.logLevel, config.logFormat);
  const metrics = webMetrics(createMetrics('web'));
  const stopTracing = await openTracing(config, 'web', log);
  const broker = observedBroker(openRabbitmq(config, log, 'web', true), metrics, 'rabbitmq');
  // Whatever starts us may not have waited for the one before: Kubernetes replaces a pod when it begins to stop.
  const role = await startWebRole(config, {
    ...{ role: 'web', broker, metrics, log },
    observe: broker.observe,
    successor: true,
  });
  const phases = [
    { name: 'requests', run: role.stopAccepting },
    { name: 'pipeline', run: role.stopPipeline },
    { name: 'broker', run: broker.close },
    { name: 'store', run: role.closeStore },
    { name: 'traces', run: stopTracing },
  ];
  untilSignal(log, config.shutdownTimeout, phases, role.drain);
  const url = await listen(role.app, config);
  log.info({ url }, 'listening');
};
