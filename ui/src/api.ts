import type { Scope } from '../../src/access/api-key.ts';
import type { Image, ImageState } from '../../src/pipeline/image.ts';
import type { ModelInfo } from '../../src/web/model-info.ts';
import type { Summary } from '../../src/web/summary.ts';
import type { System } from '../../src/web/system.ts';
import type { Timeline } from '../../src/web/timeline.ts';
import { texts } from './texts.ts';

export type { Image, ImageState, Summary, System, Timeline };

export interface Filter {
  /** Empty: any. */
  readonly state: ImageState | '';
  /** Empty: any. */
  readonly label: string;
  /** Part of the file name, in any case; empty: any. */
  readonly text: string;
  /** Uploaded at or after this time (ISO 8601, UTC); empty: ever. */
  readonly from: string;
  /** Uploaded before this time; empty: whenever. */
  readonly until: string;
}
export const noFilter: Filter = { state: '', label: '', text: '', from: '', until: '' };

export const isFiltered = (filter: Filter): boolean => Object.values(filter).some(Boolean);

export interface Page {
  readonly images: readonly Image[];
  readonly next: string | null;
}
/** RFC 9457, as far as the page shows it. */
export interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
}

/** An answer other than success, or none at all (status 0). The message is fit to show. */
export class ApiFault extends Error {
  readonly code: string;
  readonly status: number;
  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

const refusals = new EventTarget();

/** Tells, until the returned function is called, whenever the server refuses a request for want of a valid key. */
export const onUnauthorized = (listener: () => void): (() => void) => {
  refusals.addEventListener('unauthorized', listener);
  return () => refusals.removeEventListener('unauthorized', listener);
};
/** Takes note of an answer's status. */
export const noteStatus = (status: number): void => {
  if (status === 401) refusals.dispatchEvent(new Event('unauthorized'));
};

const answers = new EventTarget();

/** Tells, until the returned function is called, whenever a request is answered, and when one is not. */
export const onAnswer = (listener: (answered: boolean) => void): (() => void) => {
  const heard = (event: Event) => listener(event.type === 'answered');
  for (const type of ['answered', 'unanswered']) answers.addEventListener(type, heard);
  return () => {
    for (const type of ['answered', 'unanswered']) answers.removeEventListener(type, heard);
  };
};

const request = async (path: string, init: RequestInit): Promise<Response> => {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    answers.dispatchEvent(new Event('unanswered'));
    throw new ApiFault(0, 'unreachable', texts.faults.network, { cause });
  }
  if (response.ok) {
    answers.dispatchEvent(new Event('answered'));
    return response;
  }
  noteStatus(response.status);
  const problem: Problem = await response.json().catch(() => ({}));
  throw new ApiFault(
    response.status,
    problem.code ?? 'unknown',
    problem.detail ?? problem.title ?? texts.faults.status(response.status),
  );
};

const read = async <T>(path: string, signal?: AbortSignal): Promise<T> => {
  const response = await request(path, {
    headers: { accept: 'application/json' },
    ...(signal && { signal }),
  });
  return (await response.json()) as T;
};

const imagePath = (id: string) => `images/${encodeURIComponent(id)}`;

export const originalUrl = (id: string): string => `${imagePath(id)}/original`;
export const thumbnailUrl = (id: string): string => `${imagePath(id)}/thumbnail`;

/** One page, newest first. Throws {@link ApiFault}, like everything below. */
export const fetchPage = (filter: Filter, cursor: string | null, limit: number, signal?: AbortSignal) => {
  const query = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  if (cursor) query.set('cursor', cursor);
  return read<Page>(`images?${query}`, signal);
};

export const fetchSummary = (signal?: AbortSignal) => read<Summary>('summary', signal);

export const fetchTimeline = (id: string, signal?: AbortSignal) =>
  read<Timeline>(`${imagePath(id)}/timeline`, signal);

export const fetchSystem = (signal?: AbortSignal) => read<System>('system', signal);

export const fetchImage = (id: string, signal?: AbortSignal) => read<Image>(imagePath(id), signal);

export type Model = ModelInfo;

export const fetchModels = async (signal?: AbortSignal) =>
  (await read<{ models: readonly Model[] }>('models', signal)).models;

export interface Key {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: string | null;
}
/** `keys`: whether the server wants any; `key`: the one this browser is signed in with. */
export interface SessionAnswer {
  readonly keys: boolean;
  readonly key: Key | null;
}

export const readSession = () => read<SessionAnswer>('session');

export const signIn = async (key: string): Promise<SessionAnswer> => {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  };
  return (await (await request('session', init)).json()) as SessionAnswer;
};

export const signOut = () => request('session', { method: 'DELETE' });

export const reprocess = (id: string) => request(`${imagePath(id)}/reprocess`, { method: 'POST' });

export const replay = (id: string) =>
  request(`dead-letters/${encodeURIComponent(id)}/replay`, { method: 'POST' });

export const replayAll = async (): Promise<number> => {
  const response = await request('dead-letters/replay', { method: 'POST' });
  return ((await response.json()) as { replayed: number }).replayed;
};

/** Deletes an image; `keepalive`: even if the page is left meanwhile. */
export const remove = (id: string, keepalive = false) =>
  request(imagePath(id), { method: 'DELETE', keepalive });
