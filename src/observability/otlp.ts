import { hostname } from 'node:os';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { version } from '../version.ts';
import type { Logger } from './log.ts';
import { spansAreExported } from './tracing.ts';

export interface OtlpOptions {
  /** Where OTLP is taken over HTTP, such as http://collector:4318; `/v1/traces` is added. */
  readonly url: string;
  /** Share (0 to 1) of traces that begin here and are exported; others follow what their parent decided. */
  readonly ratio: number;
  readonly role: string;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

/** Whoever looks for a trace does so right after what they did. */
const batchMs = 1_000;
/** How long a batch is tried, and how long the last one may take at the end of the process. */
const exportMs = 5_000;
const lastExportMs = 3_000;

/** Tells of an outage once, and of its end: a line for each export would hide all else. */
const telling = (exporter: SpanExporter, log: OtlpOptions['log']): SpanExporter => {
  let failing = false;
  return {
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !failing) log.warn({ reason: result.error?.message }, 'traces cannot be exported');
        if (!failed && failing) log.info('traces are exported again');
        failing = failed;
        done(result);
      });
    },
  };
};

/**
 * Exports spans from now on, in batches, and makes the context follow asynchronous calls. What the collector does not
 * take is dropped, never waited for. Honours OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES and
 * OTEL_EXPORTER_OTLP_HEADERS. Resolves its result when the last spans are exported, or given up.
 */
export const exportTraces = ({ url, ratio, role, log }: OtlpOptions): (() => Promise<void>) => {
  const exporter = new OTLPTraceExporter({
    url: `${url.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: exportMs,
  });
  const ours = resourceFromAttributes({
    'service.name': `gantry-${role}`,
    'service.version': version,
    'service.instance.id': `${hostname()}:${process.pid}`,
  });
  const given = detectResources({ detectors: [envDetector] });
  const provider = new TracerProvider({
    resource: defaultResource().merge(ours).merge(given),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: telling(exporter, log), scheduledDelayMillis: batchMs }),
    ],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  spansAreExported();
  return async () => {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, lastExportMs);
    await Promise.race([provider.shutdown().catch(() => {}), late.promise]);
    clearTimeout(timer);
  };
};
