import type { FastifyRequest } from 'fastify';
import { formatTraceparent, parseTraceparent } from '../observability/traceparent.ts';
import { currentTraceparent } from '../observability/tracing.ts';

/** W3C Trace Context for the jobs of a request: of the active span, else the client's own, if it sent a valid one. */
export const traceOf = ({ headers }: FastifyRequest): string | undefined => {
  const given = parseTraceparent(headers.traceparent);
  return currentTraceparent() ?? (given && formatTraceparent(given));
};
