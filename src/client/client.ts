import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AcceptedImage,
  Image,
  ImageState,
  ModelInfo,
  Page,
  Summary,
  System,
  Timeline,
  UploadAnswer,
} from './answers.ts';
import { type ClientError, mayPass } from './errors.ts';
import { type EventOptions, followEvents, type ImageEvent } from './events.ts';
import { uploadForm } from './form.ts';
import { idleLimit, type RequestOptions, requestsTo } from './requests.ts';

export type * from './answers.ts';
export { ClientError, persistently } from './errors.ts';
export type { EventOptions, ImageEvent, RequestOptions };

/** Which images: those that meet every condition. Times are ISO 8601. */
export interface ImageFilter {
  readonly state?: ImageState;
  readonly label?: string;
  /** Part of the file name, any case. */
  readonly text?: string;
  /** Uploaded at or after. */
  readonly from?: string;
  /** Uploaded before. */
  readonly until?: string;
  /** Of the file, 64 hex digits. */
  readonly sha256?: string;
}

/** `late`: the signal came first. `image` is what was last seen of it, `fault` why nothing newer is known. */
export type Ending =
  | { readonly kind: 'ended'; readonly image: Image }
  | { readonly kind: 'late'; readonly image?: Image; readonly fault?: ClientError };

export interface UploadOptions {
  /** A repeated call with the same key and file is answered alike and stores nothing. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Told how many bytes of the file have been sent. */
  readonly onSent?: (bytes: number) => void;
}

/** All of them throw {@link ClientError}: `not-found` if there is no such image. */
export interface GantryClient {
  /** Uploads one file, which is streamed: a Blob of `fs.openAsBlob` may be of any size. */
  upload(
    file: { readonly name: string; readonly content: Blob | Uint8Array<ArrayBuffer> },
    options?: UploadOptions,
  ): Promise<AcceptedImage>;
  image(id: string, signal?: AbortSignal): Promise<Image>;
  /** One page of images, newest first; `cursor` is `next` of the page before. At most 500. */
  page(
    filter?: ImageFilter,
    options?: { cursor?: string; limit?: number; signal?: AbortSignal },
  ): Promise<Page>;
  /** All of them, newest first, a page at a time. */
  images(filter?: ImageFilter): AsyncIterable<Image>;
  /** What happened to an image, oldest first. */
  timeline(id: string): Promise<Timeline>;
  /** Deletes an image with its original and its results. */
  remove(id: string, signal?: AbortSignal): Promise<void>;
  /** Processes an image once more, as a new generation. */
  reprocess(id: string): Promise<Image>;
  /** Waits until an image has succeeded, failed or died; a server that is away meanwhile is waited for. */
  ending(id: string, signal: AbortSignal): Promise<Ending>;
  /** Changes of images as they happen, until the signal; a server that is away meanwhile is waited for. */
  events(options: EventOptions): AsyncIterable<ImageEvent>;
  /** Images whose every attempt failed, newest first. */
  deadLetters(): AsyncIterable<Image>;
  /** Gives a dead image all its attempts again. */
  replay(id: string): Promise<Image>;
  /** As `replay` for every dead image; returns how many. */
  replayAll(): Promise<number>;
  /** The models that images are processed with. */
  models(): Promise<ModelInfo[]>;
  /** How many images there are in each state and with each label, and how fast they come and go. */
  summary(signal?: AbortSignal): Promise<Summary>;
  /** What runs there, how it is, and what it takes. */
  system(signal?: AbortSignal): Promise<System>;
  /** Whether the server process is alive, and its version. Needs no API key. */
  health(signal?: AbortSignal): Promise<{ status: 'ok'; version: string }>;
}

/** Where a server is by default. */
export const defaultUrl = 'http://localhost:5000';

const pageSize = 200;
const pausesMs = { least: 10, most: 1000 };
/** An upload of which nothing moves for this long is broken off. */
const uploadIdleMs = 60_000;
/** Here and not `isFinal`: that file loads TypeBox, which would double the start time of every command. */
const unfinished: ReadonlySet<ImageState> = new Set<ImageState>(['queued', 'processing']);

const ofImage = (id: string): string => `/images/${encodeURIComponent(id)}`;

/**
 * Talks to a Gantry server at `url`, such as `http://localhost:5000`, with an API key where it wants one. Throws
 * {@link ClientError} `invalid-url`.
 */
export const gantryClient = (url: string = defaultUrl, options: RequestOptions = {}): GantryClient => {
  const requests = requestsTo(url, options);
  const { json, send, stranger } = requests;

  const pageOf = async (
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    signal?: AbortSignal,
  ): Promise<Page> => {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const page = await json<Page>('GET', `${path}?${new URLSearchParams(given)}`, signal ? { signal } : {});
    if (!Array.isArray(page.images)) throw stranger();
    return page;
  };
  async function* every(path: string, filter: ImageFilter = {}) {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: Page = await pageOf(path, { ...filter, limit: pageSize, cursor });
      yield* page.images;
      cursor = page.next;
    }
  }

  return {
    async upload({ name, content }, { idempotencyKey, signal, onSent } = {}) {
      const idle = idleLimit(uploadIdleMs);
      const { body, headers } = uploadForm(name, content, (bytes) => {
        idle.moved();
        onSent?.(bytes);
      });
      const init = {
        ...{ body, duplex: 'half' as const },
        headers: {
          ...headers,
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
        ...(signal === undefined ? {} : { signal }),
      };
      const { images } = await json<Partial<UploadAnswer>>('POST', '/upload', init, idle).finally(idle.stop);
      if (images?.[0] === undefined) throw stranger();
      return images[0];
    },
    image: (id, signal) => json('GET', ofImage(id), signal ? { signal } : {}),
    page: (filter = {}, { cursor, limit, signal } = {}) =>
      pageOf('/images', { ...filter, cursor, limit }, signal),
    images: (filter) => every('/images', filter),
    timeline: (id) => json('GET', `${ofImage(id)}/timeline`),
    async remove(id, signal) {
      await send('DELETE', ofImage(id), signal === undefined ? {} : { signal });
    },
    reprocess: (id) => json('POST', `${ofImage(id)}/reprocess`),
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
    events: (options) => followEvents(requests, options),
    deadLetters: () => every('/dead-letters'),
    replay: (id) => json('POST', `/dead-letters/${encodeURIComponent(id)}/replay`),
    replayAll: async () => (await json<{ replayed: number }>('POST', '/dead-letters/replay')).replayed,
    async models() {
      const { models } = await json<{ models?: ModelInfo[] }>('GET', '/models');
      return models ?? Promise.reject(stranger());
    },
    summary: (signal) => json('GET', '/summary', signal ? { signal } : {}),
    system: (signal) => json('GET', '/system', signal ? { signal } : {}),
    health: (signal) => json('GET', '/healthz', signal ? { signal } : {}),
  };
};
