import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { BlobsUnavailable } from '../../blobs/blobs.ts';
import { StoreError } from '../../store/store.ts';
import type { App } from '../context.ts';
import { Problem, type ProblemBody } from '../problem.ts';
import type { ProblemCode } from '../problem-codes.ts';

const mediaType = 'application/problem+json; charset=utf-8';

const bodyOf = ({ status, message, code, more }: Problem): ProblemBody => {
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: 'about:blank', title, status, detail: message, code, ...more };
};

const answer = (reply: FastifyReply, problem: Problem) =>
  reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', mediaType)
    .header('cache-control', 'no-store')
    .serializer(JSON.stringify)
    .send(bodyOf(problem));

/** Answers what never became a request: too slow, too large a header, no HTTP at all. */
export const answerSocket =
  (requestTimeoutMs: number) =>
  (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const problems: Readonly<Record<string, Problem>> = {
      ERR_HTTP_REQUEST_TIMEOUT: new Problem(
        408,
        'request-timeout',
        `the request took longer than the limit of ${requestTimeoutMs} ms`,
      ),
      HPE_HEADER_OVERFLOW: new Problem(431, 'headers-too-large', 'the header is larger than 16 KiB'),
    };
    const problem =
      problems[error.code ?? ''] ?? new Problem(400, 'invalid-http', 'the request is not valid HTTP');
    const body = JSON.stringify(bodyOf(problem));
    const head = [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `content-type: ${mediaType}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    // A client that never closes its side would keep the connection, and the upload behind it, for ever.
    socket.destroySoon();
  };

/** What a body was refused for, with the limit, which Fastify leaves out. */
const refusedBody = (code: string, { headers, routeOptions }: FastifyRequest): string | undefined => {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return `the body is larger than the limit of ${routeOptions.bodyLimit} bytes`;
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return `this takes no body of the type ${JSON.stringify(headers['content-type']?.slice(0, 100))}`;
  return undefined;
};

/** Codes of errors that Fastify's parts throw, and what a client should read instead of their own words. */
const known: Readonly<Record<string, readonly [status: number, code: ProblemCode, detail?: string]>> = {
  FST_ERR_VALIDATION: [400, 'invalid-request'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported-media-type'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'body-too-large'],
  FST_MP_PREMATURE_CLOSE: [400, 'invalid-multipart', 'the multipart body ends before its closing boundary'],
  'invalid-cursor': [400, 'invalid-cursor'],
};

/** The connection ended before the request did; nobody reads the answer. */
const clientGone = ({ code, message }: FastifyError): boolean =>
  code === 'ECONNRESET' || message === 'aborted';

const storageFull = (cause: Error): Problem =>
  new Problem(507, 'storage-full', 'the storage is full', { cause });

const storeAway: ReadonlySet<StoreError['code']> = new Set(['busy', 'closed', 'unavailable', 'refused']);

/** What a client is told of an error that its request ran into. */
export const asProblem = (error: FastifyError, request: FastifyRequest): Problem => {
  if (error instanceof Problem) return error;
  if (clientGone(error))
    return new Problem(400, 'client-gone', 'the request was broken off', { cause: error });
  if (error instanceof BlobsUnavailable) {
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC') return storageFull(error);
    const headers = { 'retry-after': '10' };
    return new Problem(503, 'storage-unavailable', 'the image storage cannot be reached', {
      headers,
      cause: error,
    });
  }
  if (error instanceof StoreError && error.code === 'full') return storageFull(error);
  if (error instanceof StoreError && storeAway.has(error.code)) {
    const headers = { 'retry-after': error.code === 'unavailable' ? '5' : '1' };
    return new Problem(503, 'store-unavailable', 'the store cannot be used right now', {
      headers,
      cause: error,
    });
  }
  const [status, code, detail] = known[error.code] ?? [];
  if (status !== undefined && code !== undefined)
    return new Problem(status, code, detail ?? refusedBody(error.code, request) ?? error.message);
  const given = error.statusCode ?? 500;
  if (given < 500) return new Problem(given, 'bad-request', error.message, { cause: error });
  // The cause is in the log; its text may hold what no client should read.
  return new Problem(500, 'internal', 'something went wrong here; the log of the server says what', {
    cause: error,
  });
};

/** Answers what fails before a route is found, such as a malformed path. */
export const answerFramework = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
  answer(reply, asProblem(error, request));
};

/** Every error, wherever it comes from, is answered as problem+json; those of our own making are logged as errors. */
export const problems = (app: App): void => {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = asProblem(error, request);
    const about = { method: request.method, url: request.url };
    if (problem.status === 500) request.log.error({ ...about, err: error }, 'request failed');
    // Expected while something is full or away, and perhaps many: no stack.
    else if (problem.status > 500) {
      const reason = problem.cause instanceof Error ? problem.cause.message : undefined;
      request.log.warn({ ...about, code: problem.code, reason }, problem.message);
    }
    return answer(reply, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]?.slice(0, 200);
    return answer(reply, new Problem(404, 'not-found', `there is no ${request.method} ${path}`));
  });
};
