import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config.ts';
import { probeServer } from '../consumer/probe-server.ts';
import { consumerMetrics } from '../observability/consumer-metrics.ts';
import { createLog } from '../observability/log.ts';
import { createMetrics } from '../observability/metrics.ts';
import { observedBroker } from '../observability/observed-broker.ts';
import { startConsumerRole } from './consumer-role.ts';
import { StartError, untilSignal } from './lifecycle.ts';
import { openRabbitmq } from './open-broker.ts';
import { openTracing } from './open-tracing.ts';

/** `gantry consumer`: takes jobs from the queue and runs the model. Needs queue and images, no database. */
export const consumer = async (config: Config): Promise<void> => {
  const log = createLog(config.logLevel, config.logFormat);
  const metrics = consumerMetrics(createMetrics('consumer'));
  const stopTracing = await openTracing(config, 'consumer', log);
  const broker = observedBroker(openRabbitmq(config, log, 'consumer', false), metrics, 'rabbitmq');
  const role = await startConsumerRole(config, { metrics, log });
  let draining = false;
  const probes = probeServer({
    metrics,
    observe() {
      broker.observe();
      role.observe();
    },
    hindrance() {
      if (draining) return 'shutting down';
      return broker.isConnected() ? undefined : 'the broker cannot be reached';
    },
  });
  probes.listen(config.metricsPort, config.host);
  await once(probes, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new StartError(
      `cannot listen on ${config.host}:${config.metricsPort} (${cause.code}); choose another port with --metrics-port`,
      { cause },
    );
  });
  const subscription = await role.consume(broker);
  const phases = [
    { name: 'images at work', run: subscription.cancel },
    { name: 'workers', run: () => role.pool.stop() },
    { name: 'broker', run: broker.close },
    { name: 'traces', run: stopTracing },
  ];
  untilSignal(log, config.shutdownTimeout, phases, () => {
    draining = true;
  });
  const { port } = probes.address() as AddressInfo;
  const metricsUrl = `http://localhost:${port}/metrics`;
  log.info({ metricsUrl, model: role.pool.model.name, workers: config.workers }, 'consuming');
};
