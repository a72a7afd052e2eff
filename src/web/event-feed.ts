import type { Logger } from '../observability/log.ts';
import { repeating } from '../pipeline/repeating.ts';
import type { ImageEvent, Store } from '../store/store.ts';

/** Without a hint the store is asked this often (ms): another process may have written to it. */
const pollMs = 1000;
const page = 500;
/** So many of the newest events, and up to twice as many, are in memory, so that a hundred listeners cost one query. */
const kept = 2000;

export interface EventFeed {
  /** A hint that the store has new events. */
  wake(): void;
  /** Number of the newest event there is. */
  last(): Promise<number>;
  /** Events after `seq` as they happen, until the signal aborts or the feed stops. A slow reader falls back to the store, nobody waits for it. */
  follow(seq: number, signal: AbortSignal): AsyncGenerator<ImageEvent>;
  /** Ends every `follow`. */
  stop(): Promise<void>;
}

/** Reads new events from the store once for all listeners. The hint is only a hint: polling is the truth. */
export const startEventFeed = (store: Store, log: Logger): EventFeed => {
  /** Unknown while nobody listens: then the store is not asked at all. */
  let last: number | undefined;
  const recent: ImageEvent[] = [];
  let news = Promise.withResolvers<void>();
  let listeners = 0;
  const stopped = new AbortController();

  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const poll = repeating('event feed', pollMs, log, async () => {
    if (listeners === 0) {
      recent.length = 0;
      last = undefined;
      return false;
    }
    if (last === undefined) {
      last = await store.lastEvent();
      // Up to there everyone reads for himself.
      tell();
      return false;
    }
    const events = await store.events(last, page);
    if (events.length === 0) return false;
    last = events.at(-1)?.seq ?? last;
    recent.push(...events);
    // Seldom: each time costs a copy of all that stay.
    if (recent.length >= 2 * kept) recent.splice(0, recent.length - kept);
    tell();
    return events.length === page;
  });

  const after = async (seq: number): Promise<ImageEvent[]> => {
    const oldest = recent[0];
    if (oldest !== undefined && oldest.seq <= seq + 1) {
      // From the end, for that is where most listeners are.
      return recent.slice(recent.findLastIndex((event) => event.seq <= seq) + 1);
    }
    return store.events(seq, page);
  };

  async function* follow(from: number, client: AbortSignal): AsyncGenerator<ImageEvent> {
    const signal = AbortSignal.any([client, stopped.signal]);
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => aborted.resolve(), { once: true });
    listeners += 1;
    try {
      for (let seq = from; !signal.aborted; ) {
        const next = news.promise;
        const events = await after(seq);
        for (const event of events) {
          if (signal.aborted) return;
          yield event;
          seq = event.seq;
        }
        if (events.length === 0) await Promise.race([next, aborted.promise]);
      }
    } finally {
      listeners -= 1;
    }
  }
  return {
    wake: poll.wake,
    last: () => store.lastEvent(),
    follow,
    stop() {
      stopped.abort();
      return poll.stop();
    },
  };
};
