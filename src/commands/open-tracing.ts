import type { Config } from '../config.ts';
import type { Logger } from '../observability/log.ts';

/**
 * Exports traces if a collector is set, here or as OpenTelemetry's own variable says; the SDK is not even loaded
 * otherwise. Resolves to what exports the last of them.
 */
export const openTracing = async (
  { otlpUrl, traceRatio }: Config,
  role: string,
  log: Logger,
): Promise<() => Promise<void>> => {
  const url = otlpUrl ?? process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (url === undefined || url === '') return async () => {};
  const { exportTraces } = await import('../observability/otlp.ts');
  return exportTraces({ url, ratio: traceRatio, role, log });
};
