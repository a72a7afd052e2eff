import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { version } from '../version.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const tracer = trace.getTracer('gantry', version);

/** Until then spans go nowhere, and those around the work of each image are not even made: they cost more than they look. */
let exporting = false;
/** An exporter was started (otlp.ts). */
export const spansAreExported = (): void => {
  exporting = true;
};
/** Whether they go anywhere. */
export const tracing = (): boolean => exporting;

export interface SpanSettings {
  readonly kind?: SpanKind;
  /** W3C Trace Context of the parent. Without one it is the active span, or else a trace begins. */
  readonly traceparent?: unknown;
  /** W3C Trace Context of a span that led to this one. */
  readonly linkedTo?: unknown;
  readonly attributes?: Attributes;
  /** Milliseconds since 1970, if it began before now. */
  readonly startTime?: number;
}

const parentOf = ({ traceparent }: SpanSettings): Context => {
  const given = parseTraceparent(traceparent);
  return given === undefined ? context.active() : trace.setSpanContext(context.active(), given);
};

/** Starts a span that is not active yet; whoever starts it ends it. */
export const startSpan = (name: string, settings: SpanSettings): Span => {
  const { kind = SpanKind.INTERNAL, linkedTo, attributes = {}, startTime } = settings;
  const link = parseTraceparent(linkedTo);
  const links = link === undefined ? [] : [{ context: link }];
  const options = { kind, attributes, links, ...(startTime === undefined ? {} : { startTime }) };
  return tracer.startSpan(name, options, parentOf(settings));
};

/** Calls back with the span active: spans started there are its children, log lines carry its IDs. */
export const whileActive = <T>(span: Span, run: () => T): T =>
  context.with(trace.setSpan(context.active(), span), run);

/** Calls back outside of any trace, for what begins here by chance and goes on long after. */
export const outsideTraces = <T>(run: () => T): T => (exporting ? context.with(ROOT_CONTEXT, run) : run());

/** Runs with a span of its own, which ends with it; what it throws is noted there and thrown on. */
export const inSpan = async <T>(name: string, settings: SpanSettings, run: () => Promise<T>): Promise<T> => {
  if (!exporting) return run();
  const span = startSpan(name, settings);
  try {
    return await whileActive(span, run);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: string };
    span.setAttribute('error.type', typeof code === 'string' ? code : 'error');
    span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
    throw error;
  } finally {
    span.end();
  }
};

/** A child of the active span that is over already. Times are milliseconds since 1970. */
export const pastSpan = (name: string, startTime: number, ms: number, attributes: Attributes = {}): void => {
  if (exporting) startSpan(name, { startTime, attributes }).end(startTime + ms);
};

/** W3C Trace Context of the active span; undefined if nothing is traced. */
export const currentTraceparent = (): string | undefined => {
  const span = trace.getActiveSpan();
  return span === undefined ? undefined : formatTraceparent(span.spanContext());
};
