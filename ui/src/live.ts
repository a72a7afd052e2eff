import { type Image, onAnswer } from './api.ts';

/** `polling`: the server answers, but no event stream comes through (a proxy may hold it back). */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'offline';
export type Change =
  | { readonly kind: 'image'; readonly image: Image }
  | { readonly kind: 'deleted'; readonly id: string };

/** The server's events while the page is looked at. */
export interface Live {
  /** Hears changes in their order, in batches: a busy server sends more than a page should draw. */
  subscribe(listener: (changes: readonly Change[]) => void): () => void;
  /** Takes in what was learnt by other ways than an event. */
  learn(image: Image): void;
  /** Takes in that an image is deleted. */
  forget(id: string): void;
  connection(): Connection;
  subscribeConnection(listener: () => void): () => void;
  close(): void;
}

const eventNames = ['queued', 'processing', 'succeeded', 'failed', 'dead', 'deleted'];
const batchMs = 60;
const longestRetryMs = 15_000;
/** A proxy that collects whole answers lets a stream never begin. */
const openingMs = 8_000;
/** Failures in a row after which an answer to something else shows that only the stream is missing. */
const faultsBeforePolling = 2;

const parseChange = (event: MessageEvent<string>): Change | undefined => {
  const data = JSON.parse(event.data) as Image | null;
  if (!data) return undefined;
  return event.type === 'deleted' ? { kind: 'deleted', id: data.id } : { kind: 'image', image: data };
};

/**
 * Follows `GET /events`. A hidden tab lets go of its connection: browsers allow six of them to one HTTP/1.1
 * server, and a seventh tab could load nothing.
 */
export const openLive = (): Live => {
  const listeners = new Set<(changes: readonly Change[]) => void>();
  const connectionListeners = new Set<() => void>();
  let connection: Connection = 'connecting';
  let source: EventSource | undefined;
  let pending: Change[] = [];
  let batch: number | undefined;
  let retry: number | undefined;
  let opening: number | undefined;
  let faults = 0;

  const become = (next: Connection) => {
    if (next === connection) return;
    connection = next;
    for (const listener of connectionListeners) listener();
  };
  const flush = () => {
    batch = undefined;
    const changes = pending;
    pending = [];
    for (const listener of listeners) listener(changes);
  };
  const take = (change: Change) => {
    pending.push(change);
    batch ??= window.setTimeout(flush, batchMs);
  };
  const hear = (event: MessageEvent<string>) => {
    const change = parseChange(event);
    if (change) take(change);
  };
  const disconnect = () => {
    window.clearTimeout(retry);
    window.clearTimeout(opening);
    source?.close();
    source = undefined;
  };
  const lost = () => {
    window.clearTimeout(opening);
    if (!navigator.onLine) become('offline');
    else if (connection !== 'polling') become('reconnecting');
  };
  const connect = () => {
    disconnect();
    const opened = new EventSource('events');
    source = opened;
    for (const name of eventNames) opened.addEventListener(name, hear);
    const connectLater = () => {
      faults += 1;
      window.clearTimeout(retry);
      retry = window.setTimeout(
        connect,
        Math.min(longestRetryMs, 500 * 2 ** faults) * (0.5 + Math.random() / 2),
      );
    };
    opening = window.setTimeout(() => {
      opened.close();
      faults = faultsBeforePolling;
      lost();
      connectLater();
    }, openingMs);
    opened.onopen = () => {
      window.clearTimeout(opening);
      faults = 0;
      become('live');
    };
    opened.onerror = () => {
      lost();
      // An answer that is no event stream (a proxy's error page) makes the browser give up; we do not.
      if (opened.readyState === EventSource.CLOSED) connectLater();
      else faults += 1;
    };
  };
  const onVisibility = () => {
    if (document.hidden) disconnect();
    else if (!source) {
      become('connecting');
      connect();
    }
  };
  const onOnline = () => connect();
  const onOffline = () => become('offline');

  const stopAnswers = onAnswer((answered) => {
    if (connection === 'polling' && !answered) become('reconnecting');
    else if (connection === 'reconnecting' && answered && faults >= faultsBeforePolling) become('polling');
  });

  document.addEventListener('visibilitychange', onVisibility);
  window.addEventListener('online', onOnline);
  window.addEventListener('offline', onOffline);
  if (!document.hidden) connect();

  return {
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    learn: (image) => take({ kind: 'image', image }),
    forget: (id) => take({ kind: 'deleted', id }),
    connection: () => connection,
    subscribeConnection: (listener) => {
      connectionListeners.add(listener);
      return () => connectionListeners.delete(listener);
    },
    close: () => {
      disconnect();
      stopAnswers();
      window.clearTimeout(batch);
      document.removeEventListener('visibilitychange', onVisibility);
      window.removeEventListener('online', onOnline);
      window.removeEventListener('offline', onOffline);
    },
  };
};
