import { useEffect, useRef, useState } from 'react';
import { describeFault } from './listing-source.ts';
import type { Live } from './live.ts';

interface Answered<T> {
  readonly value: T | null;
  /** When the value came; like all moments here in milliseconds since the epoch. */
  readonly asOf: number;
  /** Why the last request failed, and when the first one since the value did; null once one succeeds. */
  readonly fault: { readonly reason: string; readonly since: number } | null;
}

/** An answer that is asked for again and again. A fault leaves the last answer as it was. */
export interface Polled<T> extends Answered<T> {
  readonly refresh: () => void;
}

/** A server that is there but does not answer, or a connection that is dead, would otherwise be waited for without end. */
const longestMs = 10_000;

/** Asks every `everyMs` while the page is looked at, and `soonMs` after images have changed; 0: not for that. */
export const usePolled = <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  live: Live,
  { everyMs, soonMs = 0 }: { everyMs: number; soonMs?: number },
): Polled<T> => {
  const [answered, setAnswered] = useState<Answered<T>>({ value: null, asOf: 0, fault: null });
  const refresh = useRef<() => void>(() => undefined);

  useEffect(() => {
    let closed = false;
    let abort: AbortController | undefined;
    let timer: number | undefined;
    let dueAt = 0;
    const schedule = (ms: number) => {
      dueAt = Date.now() + ms;
      window.clearTimeout(timer);
      timer = window.setTimeout(poll, ms);
    };
    const poll = async () => {
      if (abort || document.hidden) return;
      const asked = new AbortController();
      abort = asked;
      const deadline = window.setTimeout(() => asked.abort(), longestMs);
      try {
        const value = await ask(asked.signal);
        if (!closed) setAnswered({ value, asOf: Date.now(), fault: null });
      } catch (error) {
        const reason = describeFault(error);
        const now = Date.now();
        if (!closed)
          setAnswered((before) => ({ ...before, fault: { reason, since: before.fault?.since ?? now } }));
      }
      window.clearTimeout(deadline);
      abort = undefined;
      if (!closed) schedule(everyMs);
    };
    const soon = () => {
      if (soonMs > 0 && !abort && dueAt - Date.now() > soonMs) schedule(soonMs);
    };
    const now = () => void poll();
    refresh.current = now;
    const stopChanges = live.subscribe(soon);
    const stopConnection = live.subscribeConnection(now);
    document.addEventListener('visibilitychange', now);
    now();
    return () => {
      closed = true;
      abort?.abort();
      window.clearTimeout(timer);
      stopChanges();
      stopConnection();
      document.removeEventListener('visibilitychange', now);
    };
  }, [ask, live, everyMs, soonMs]);

  const [ask0] = useState(() => () => refresh.current());
  return { ...answered, refresh: ask0 };
};
