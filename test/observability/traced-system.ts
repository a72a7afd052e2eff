import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collector, collectorMissing, startCollector } from '../services/otel-collector.ts';
import { rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';

/** Why there can be none here; false if there can. */
export const tracingMissing = collectorMissing() || rabbitMqMissing();

/** The caller's span, and the header that makes a request part of its trace. */
export const caller = 'b7ad6b7169203331';
export const traceparentOf = (traceId: string) => ({ traceparent: `00-${traceId}-${caller}-01` });

export interface TracedSystem extends AsyncDisposable {
  readonly collector: Collector;
  readonly web: Gantry;
  readonly consumer: Gantry;
  /** Starts one more, which is the caller's to stop. */
  startConsumer(): Promise<Gantry>;
}

/**
 * A web server and a consumer with one worker, over RabbitMQ, that send their spans to a real Collector. `env` is for
 * both; the setting by which each knows the Collector is another one.
 */
export const startTracedSystem = async (env: NodeJS.ProcessEnv = {}): Promise<TracedSystem> => {
  await using starting = new AsyncDisposableStack();
  const [collector, rabbit] = await Promise.all([startCollector(), startRabbitMq()]);
  starting.defer(() => rabbit.dispose());
  starting.defer(() => collector.dispose());
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-traces-'));
  starting.defer(() => rm(dataDir, { recursive: true, force: true }));
  const common = { GANTRY_AMQP_URL: rabbit.amqpUrl, GANTRY_WORKERS: '1', ...env };
  const web = await startGantry({ role: 'web', dataDir, env: { ...common, GANTRY_OTLP_URL: collector.url } });
  starting.defer(() => web.stop().then());
  // The variable that OpenTelemetry's own tools set.
  const atConsumer = { ...common, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const startConsumer = () => startGantry({ role: 'consumer', dataDir, env: atConsumer });
  const consumer = await startConsumer();
  starting.defer(() => consumer.stop().then());
  const stack = starting.move();
  return { collector, web, consumer, startConsumer, [Symbol.asyncDispose]: () => stack.disposeAsync() };
};
