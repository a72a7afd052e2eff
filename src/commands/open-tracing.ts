import type { Config } from '../config.ts';
import type { Logger } from '../observability/log.ts';
import { settings } from '../settings.ts';

/** Set for every program of a machine or cluster, perhaps: what is wrong with it must not keep this one from starting. */
const ofEnvironment = (log: Logger): string | undefined => {
  const name = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  try {
    const given = process.env[name];
    return given ? settings.otlpUrl.kind.parse(given) : undefined;
  } catch (error) {
    log.warn({ reason: `${name} ${(error as Error).message}` }, 'traces are not exported');
    return undefined;
  }
};

/**
 * Exports traces if a collector is set, here or as OpenTelemetry's own variable says; the SDK is not even loaded
 * otherwise. Resolves to what exports the last of them.
 */
export const openTracing = async (
  { otlpUrl, traceRatio }: Config,
  role: string,
  log: Logger,
): Promise<() => Promise<void>> => {
  const url = otlpUrl ?? ofEnvironment(log);
  if (url === undefined) return async () => {};
  const { exportTraces } = await import('../observability/otlp.ts');
  return exportTraces({ url, ratio: traceRatio, role, log });
};
