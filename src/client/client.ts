import { setTimeout as sleep } from 'node:timers/promises';
import type { Image, ImageState } from '../pipeline/image.ts';

/** The server could not be reached, or answered with a problem. One line; `code` is the problem's. */
export class ClientError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  constructor(code: string, message: string, options: ErrorOptions & { status?: number } = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status;
  }
}

/** `late`: the signal came first. `image` is what was last seen of it, `fault` why nothing newer is known. */
export type Ending =
  | { readonly kind: 'ended'; readonly image: Image }
  | { readonly kind: 'late'; readonly image?: Image; readonly fault?: ClientError };

export interface GantryClient {
  /** Throws {@link ClientError}, as all of them do: `not-found` if there is no such image. */
  image(id: string): Promise<Image>;
  /** The newest images that satisfy, as `GET /images` takes it; not more than one page. */
  images(query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Image[]>;
  /**
   * Uploads one picture and returns its ID. A repeated call with the same `idempotencyKey` and picture is answered
   * alike and stores nothing.
   */
  upload(
    picture: { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> },
    options?: { readonly idempotencyKey?: string; readonly signal?: AbortSignal },
  ): Promise<string>;
  /** Waits until an image has succeeded, failed or died; a server that is away meanwhile is waited for. */
  ending(id: string, signal: AbortSignal): Promise<Ending>;
  /** Images whose every attempt failed, newest first. */
  deadLetters(): AsyncIterable<Image>;
  /** Gives a dead image all its attempts again. */
  replay(id: string): Promise<Image>;
  /** As `replay` for every dead image; returns how many. */
  replayAll(): Promise<number>;
  /** Deletes an image with its original and its results. */
  remove(id: string, signal?: AbortSignal): Promise<void>;
}

/** Where a server is by default. */
export const defaultUrl = 'http://localhost:5000';

const timeoutMs = 60_000;
/** Of a request that is repeated: short, so that a server lost in the middle of it does not take all the time there is. */
const tryMs = 15_000;
const page = 200;
const pausesMs = { least: 10, most: 1000 };
/** Here and not `isFinal`: that file loads TypeBox, which would double the start time of every command. */
const unfinished: ReadonlySet<ImageState> = new Set<ImageState>(['queued', 'processing']);

/** An address as it may be shown: without the user and password that somebody put into it. */
const shown = (url: string): string => url.replace(/^([a-z][a-z0-9+.-]*:\/*)?.*@/i, '$1');

const problemOf = async (response: Response): Promise<ClientError> => {
  const body = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  const said = body.detail ?? `the server answered ${response.status} ${response.statusText}`;
  const detail =
    body.code === 'key-needed' ? `${said} (give it with --api-key-file or GANTRY_API_KEY)` : said;
  return new ClientError(body.code ?? 'http-error', detail, { status: response.status });
};

/** Whether the same request may succeed later: the server is away, restarting or overloaded. */
const mayPass = (error: unknown): error is ClientError =>
  error instanceof ClientError &&
  (error.code === 'unreachable' || [408, 429, 502, 503, 504].includes(error.status ?? 0));

/**
 * Calls until it succeeds, while the server is away, restarting or overloaded. Throws the first other error, or the
 * last one before `signal`.
 */
export const persistently = async <T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> => {
  let last: unknown;
  for (let pauseMs = 100; ; pauseMs = Math.min(2 * pauseMs, pausesMs.most)) {
    try {
      return await call();
    } catch (error) {
      // Cut off by the signal itself: what failed before says more.
      last = signal.aborted ? (last ?? error) : error;
      if (!mayPass(error)) throw error;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw last;
    }
  }
};

/** The server that a command talks to: as it was told, else GANTRY_URL, else this machine. */
export const serverUrl = (told: string | undefined): string => told ?? (process.env.GANTRY_URL || defaultUrl);

/** Talks to a Gantry server at `url`, such as `http://localhost:5000`, with an API key where it wants one. */
export const gantryClient = (url: string, apiKey?: string): GantryClient => {
  const server = shown(url);
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new ClientError(
      'invalid-url',
      `cannot reach ${server}: a server is named like http://localhost:5000`,
    );
  }
  if (new URL(url).username || new URL(url).password) {
    throw new ClientError('invalid-url', `cannot reach ${server} with a user or password in its address`);
  }
  const unreachable = (cause: unknown, reason: string): ClientError =>
    new ClientError('unreachable', `cannot reach ${server}: ${reason}`, { cause });
  const stranger = (cause?: unknown): ClientError =>
    new ClientError('not-gantry', `what answers at ${server} is not Gantry`, { cause });
  const request = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const limitMs = init.signal ? tryMs : timeoutMs;
    const headers = new Headers(init.headers);
    if (apiKey !== undefined) headers.set('authorization', `Bearer ${apiKey}`);
    const limit = AbortSignal.timeout(limitMs);
    const response = await fetch(new URL(path, url), {
      ...init,
      method,
      headers,
      signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit,
    }).catch((cause: Error) => {
      const inner = cause.cause instanceof Error ? cause.cause.message : cause.message;
      if (limit.aborted) throw unreachable(cause, `no answer within ${limitMs / 1000} s`);
      throw unreachable(cause, init.signal?.aborted ? 'no answer in time' : inner || cause.name);
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  const json = async <T>(method: string, path: string, init?: RequestInit): Promise<T> => {
    const response = await request(method, path, init);
    return (await response.json().catch((cause: unknown) => {
      throw cause instanceof SyntaxError ? stranger(cause) : unreachable(cause, 'the answer broke off');
    })) as T;
  };
  const ofImage = (id: string): string => `/images/${encodeURIComponent(id)}`;

  return {
    image: (id) => json('GET', ofImage(id)),
    images: async (query, signal) =>
      (await json<{ images: Image[] }>('GET', `/images?${new URLSearchParams(query)}`, { signal })).images,
    async upload({ name, bytes }, { idempotencyKey, signal } = {}) {
      const body = new FormData();
      body.append('image', new File([bytes], name));
      const answer = await json<{ correlationId?: string }>('POST', '/upload', {
        body,
        ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.correlationId === undefined) throw stranger();
      return answer.correlationId;
    },
    async ending(id, signal) {
      const begun = performance.now();
      let image: Image | undefined;
      let fault: ClientError | undefined;
      while (!signal.aborted) {
        try {
          image = await json<Image>('GET', ofImage(id), { signal });
          fault = undefined;
          if (!unfinished.has(image.state)) return { kind: 'ended', image };
        } catch (error) {
          if (!mayPass(error)) throw error;
          if (!signal.aborted) fault = error;
        }
        // Exact to a tenth of the time it takes, whether that is milliseconds or minutes.
        const pauseMs = Math.min(Math.max((performance.now() - begun) / 10, pausesMs.least), pausesMs.most);
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
      return { kind: 'late', ...(image ? { image } : {}), ...(fault ? { fault } : {}) };
    },
    async *deadLetters() {
      for (let next: string | null = ''; next !== null; ) {
        const query = new URLSearchParams({ limit: String(page), ...(next === '' ? {} : { cursor: next }) });
        const found: { images: Image[]; next: string | null } = await json('GET', `/dead-letters?${query}`);
        yield* found.images;
        next = found.next;
      }
    },
    replay: (id) => json('POST', `/dead-letters/${encodeURIComponent(id)}/replay`),
    replayAll: async () => (await json<{ replayed: number }>('POST', '/dead-letters/replay')).replayed,
    async remove(id, signal) {
      await request('DELETE', ofImage(id), signal === undefined ? {} : { signal });
    },
  };
};
