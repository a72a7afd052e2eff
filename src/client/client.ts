import type { Image } from '../pipeline/image.ts';

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

export interface GantryClient {
  /** Throws {@link ClientError}, as all of them do: `not-found` if there is no such image. */
  image(id: string): Promise<Image>;
  /** Images whose every attempt failed, newest first. */
  deadLetters(): AsyncIterable<Image>;
  /** Gives a dead image all its attempts again. */
  replay(id: string): Promise<Image>;
  /** As `replay` for every dead image; returns how many. */
  replayAll(): Promise<number>;
  /** Deletes an image with its original and its results. */
  remove(id: string): Promise<void>;
}

const timeoutMs = 60_000;
const page = 200;

const problemOf = async (response: Response): Promise<ClientError> => {
  const body = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  const detail = body.detail ?? `the server answered ${response.status} ${response.statusText}`;
  return new ClientError(body.code ?? 'http-error', detail, { status: response.status });
};

/** Talks to a Gantry server at `url`, such as `http://localhost:5000`. */
export const gantryClient = (url: string): GantryClient => {
  if (!/^https?:/.test(url) || !URL.canParse(url)) {
    throw new ClientError('invalid-url', `cannot reach ${url}: a server is named like http://localhost:5000`);
  }
  const request = async (method: string, path: string): Promise<Response> => {
    const response = await fetch(new URL(path, url), {
      method,
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((cause: Error) => {
      const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
      throw new ClientError('unreachable', `cannot reach ${url}: ${reason || cause.name}`, { cause });
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  const json = async <T>(method: string, path: string): Promise<T> =>
    (await (await request(method, path)).json()) as T;
  const ofImage = (id: string): string => `/images/${encodeURIComponent(id)}`;

  return {
    image: (id) => json('GET', ofImage(id)),
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
    async remove(id) {
      await request('DELETE', ofImage(id));
    },
  };
};
