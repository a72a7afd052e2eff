import { ClientError, problemOf } from './errors.ts';

/** A limit that begins anew whenever something moves; `stop` ends it. */
export interface Idle {
  readonly signal: AbortSignal;
  readonly limitMs: number;
  moved(): void;
  stop(): void;
}

/** Aborts when nothing has moved for `limitMs`. */
export const idleLimit = (limitMs: number): Idle => {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), limitMs);
  return {
    signal: idle.signal,
    limitMs,
    moved: () => void timer.refresh(),
    stop: () => clearTimeout(timer),
  };
};

/** An upload of which nothing moves for this long is broken off. */
export const uploadIdle = (): Idle => idleLimit(60_000);

export interface Requests {
  /** An answer whose status says success. Throws {@link ClientError}. */
  send(method: string, path: string, init?: RequestInit, idle?: Idle): Promise<Response>;
  /** As `send`; the answer's JSON. */
  json<T>(method: string, path: string, init?: RequestInit, idle?: Idle): Promise<T>;
  /** The JSON of an answer. Throws {@link ClientError}. */
  read<T>(response: Response): Promise<T>;
  /** What answers is no Gantry server. */
  stranger(cause?: unknown): ClientError;
  unreachable(cause: unknown, reason: string): ClientError;
}

const timeoutMs = 60_000;
/** Of a request that is repeated: short, so that a server lost in the middle of it does not take all the time there is. */
const tryMs = 15_000;

/** An address as it may be shown: without the user and password that somebody put into it. */
const shown = (url: string): string => url.replace(/^([a-z][a-z0-9+.-]*:\/*)?.*@/i, '$1');

const checked = (url: string): string => {
  const cannot = (why: string) => new ClientError('invalid-url', `cannot reach ${shown(url)}${why}`);
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw cannot(': a server is named like http://localhost:5000');
  }
  const { username, password } = new URL(url);
  if (username || password) throw cannot(' with a user or password in its address');
  return url.replace(/\/+$/, '');
};

export interface RequestOptions {
  readonly apiKey?: string | undefined;
  /** Instead of the global one: to look at requests, or to go another way. */
  readonly fetch?: typeof fetch | undefined;
}

/** Sends requests to the server at `url`, each with a time limit. Throws {@link ClientError} `invalid-url`. */
export const requestsTo = (url: string, options: RequestOptions): Requests => {
  const base = checked(url);
  const server = shown(url);
  const call = options.fetch ?? fetch;
  const unreachable = (cause: unknown, reason: string): ClientError =>
    new ClientError('unreachable', `cannot reach ${server}: ${reason}`, { cause });
  const stranger = (cause?: unknown): ClientError =>
    new ClientError('not-gantry', `what answers at ${server} is not Gantry`, { cause });

  const send: Requests['send'] = async (method, path, init = {}, idle) => {
    const limitMs = idle?.limitMs ?? (init.signal ? tryMs : timeoutMs);
    const limit = idle?.signal ?? AbortSignal.timeout(limitMs);
    const headers = new Headers(init.headers);
    if (options.apiKey !== undefined) headers.set('authorization', `Bearer ${options.apiKey}`);
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
    const response = await call(`${base}${path}`, { ...init, method, headers, signal }).catch(
      (cause: Error) => {
        const inner = cause.cause instanceof Error ? cause.cause.message : cause.message;
        const names = [cause.name, (cause.cause as Error | undefined)?.name];
        if (names.includes('NotReadableError')) {
          throw new ClientError('unreadable', 'the file changed, or went away, while it was sent', { cause });
        }
        if (limit.aborted) throw unreachable(cause, `no answer within ${limitMs / 1000} s`);
        throw unreachable(cause, init.signal?.aborted ? 'no answer in time' : inner || cause.name);
      },
    );
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  const read = async <T>(response: Response): Promise<T> =>
    (await response.json().catch((cause: unknown) => {
      throw cause instanceof SyntaxError ? stranger(cause) : unreachable(cause, 'the answer broke off');
    })) as T;
  return {
    ...{ send, read, stranger, unreachable },
    json: async (...request) => read(await send(...request)),
  };
};
