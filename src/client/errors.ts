import { setTimeout as sleep } from 'node:timers/promises';

/** The server could not be reached, or answered with a problem. One line; `code` is the problem's. */
export class ClientError extends Error {
  readonly code: string;
  /** Of the answer; undefined if there was none. */
  readonly status: number | undefined;
  /** How long the server asked to be left alone. */
  readonly retryAfterMs: number | undefined;
  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { status?: number; retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What a problem answer (RFC 9457), or one that is none, means. */
export const problemOf = async (response: Response): Promise<ClientError> => {
  const body = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  const said = body.detail ?? `the server answered ${response.status} ${response.statusText}`.trimEnd();
  const detail =
    body.code === 'key-needed' ? `${said} (give it with --api-key-file or GANTRY_API_KEY)` : said;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ClientError(body.code ?? 'http-error', detail, {
    status: response.status,
    ...(seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
  });
};

/** `offset-conflict`, `upload-resumed`: another connection, often an earlier one of ours, sends to the same upload. */
const passingCodes: ReadonlySet<string> = new Set(['unreachable', 'offset-conflict', 'upload-resumed']);
const passingStatuses: ReadonlySet<number> = new Set([408, 423, 429, 502, 503, 504]);

/** Whether the same request may succeed later: the server is away, restarting or overloaded. */
export const mayPass = (error: unknown): error is ClientError =>
  error instanceof ClientError && (passingCodes.has(error.code) || passingStatuses.has(error.status ?? 0));

const pausesMs = { first: 100, most: 1000, asked: 30_000 };

/**
 * Calls until it succeeds, while the server is away, restarting or overloaded; `onRetry` is told of each failure.
 * Throws the first other error, or the last one before `signal`.
 */
export const persistently = async <T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  onRetry: (error: ClientError) => void = () => {},
): Promise<T> => {
  let last: unknown;
  for (let pauseMs = pausesMs.first; ; pauseMs = Math.min(2 * pauseMs, pausesMs.most)) {
    try {
      return await call();
    } catch (error) {
      // Cut off by the signal itself: what failed before says more.
      last = signal.aborted ? (last ?? error) : error;
      if (!mayPass(error)) throw error;
      if (signal.aborted) throw last;
      onRetry(error);
      const askedMs = Math.min(error.retryAfterMs ?? 0, pausesMs.asked);
      await sleep(Math.max(pauseMs, askedMs), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw last;
    }
  }
};
