import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before } from 'node:test';
import { startGantry } from '../start-gantry.ts';

/** These tests import nothing from src/: they see what a user sees, of whatever answers at ACCEPTANCE_URL. */
export interface Target {
  readonly url: string;
}

const { GANTRY_API_KEY: key } = process.env;

/** What every request carries: the key in GANTRY_API_KEY, for a server that wants one. */
export const authorization: Readonly<Record<string, string>> = key ? { authorization: `Bearer ${key}` } : {};

/** As everywhere, with the key. */
export const fetch = (url: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(authorization)) headers.set(name, value);
  return globalThis.fetch(url, { ...init, headers });
};

/** The server at ACCEPTANCE_URL, or one started for the calling file and stopped behind it. */
export const serverUnderTest = (): Target => {
  const given = process.env.ACCEPTANCE_URL?.replace(/\/$/, '');
  let started: Awaited<ReturnType<typeof startGantry>> | undefined;
  before(async () => {
    if (!given) started = await startGantry();
  });
  after(() => started?.stop());
  return {
    get url() {
      return given || (started?.url ?? '');
    },
  };
};

export interface ImageJson {
  readonly id: string;
  readonly state: string;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly generation: number;
  readonly attempts: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly result: null | {
    readonly label: string;
    readonly confidence: number;
    readonly scores: Record<string, number>;
    readonly top: { label: string; score: number }[];
    readonly model: { name: string; version: string; digest: string };
    readonly timings: Record<string, number>;
    readonly attempts: number;
  };
  readonly error: null | { readonly code: string; readonly message: string };
}
export interface UploadJson {
  readonly message: string;
  readonly correlationId: string;
  readonly images: {
    id: string;
    filename: string;
    bytes: number;
    contentType: string;
    sha256: string;
    url: string;
  }[];
  readonly refused?: { filename: string; status: number; code: string; detail: string }[];
}
export interface ProblemJson {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly title: string;
}

export const fixture = (path: string): Promise<Buffer<ArrayBuffer>> =>
  readFile(new URL(`../fixtures/${path}`, import.meta.url)) as Promise<Buffer<ArrayBuffer>>;

export const json = async <T>(response: Response): Promise<T> => (await response.json()) as T;

export interface NamedFile {
  readonly name: string;
  readonly bytes: Buffer<ArrayBuffer>;
  readonly type?: string;
}

export const upload = (
  url: string,
  files: readonly NamedFile[],
  headers: Record<string, string> = {},
): Promise<Response> => {
  const form = new FormData();
  for (const { name, bytes, type = 'application/octet-stream' } of files) {
    form.append('image', new File([bytes], name, { type }));
  }
  return fetch(`${url}/upload`, { method: 'POST', body: form, headers });
};

/** Uploads one fixture and returns its ID. */
export const accepted = async (url: string, path: string): Promise<string> => {
  const response = await upload(url, [{ name: path.split('/').at(-1) ?? path, bytes: await fixture(path) }]);
  const body = await response.text();
  if (response.status !== 202) throw new Error(`${path}: ${response.status} ${body}`);
  return (JSON.parse(body) as UploadJson).correlationId;
};

export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads server-sent events until the caller breaks off. */
export async function* events(
  url: string,
  headers: Record<string, string> = {},
): AsyncGenerator<ServerSentEvent> {
  const stop = new AbortController();
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', ...headers },
    signal: stop.signal,
  });
  if (response.status !== 200 || response.body === null) throw new Error(`${url}: ${response.status}`);
  try {
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
        const data = fields.get('data');
        if (data !== undefined) yield { id: fields.get('id') ?? '', event: fields.get('event') ?? '', data };
      }
    }
  } finally {
    stop.abort();
  }
}

const final = new Set(['succeeded', 'failed', 'dead']);

/** Waits, by the image's own events, until it has ended in this generation or a later one. */
export const ended = async (url: string, id: string, generation = 1): Promise<ImageJson> => {
  for await (const { event, data } of events(`${url}/images/${id}/events`)) {
    if (!final.has(event)) continue;
    const image = JSON.parse(data) as ImageJson;
    if (image.generation >= generation) return image;
  }
  throw new Error(`the events of ${id} ended before it did`);
};

/** Asserts that an answer is this problem, as RFC 9457 has it, and returns it. */
export const problem = async (response: Response, status: number, code: string): Promise<ProblemJson> => {
  const body = await json<ProblemJson>(response);
  assert.equal(response.status, status, JSON.stringify(body));
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(body.code, code);
  assert.equal(body.status, status);
  assert.ok(body.detail.length > 0 && body.title.length > 0);
  return body;
};

/** Whatever a test sent, the next picture must be processed as if nothing had been. */
export const nextPictureWorks = (server: Target): void => {
  afterEach(async () => {
    const image = await ended(server.url, await accepted(server.url, 'cats/chelsea.png'));
    assert.equal(image.result?.label, 'cat');
  });
};
