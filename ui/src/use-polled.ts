import { useEffect, useRef, useState } from 'react';
import { describeFault } from './listing-source.ts';
import type { Live } from './live.ts';

/** An answer that is asked for again and again. A fault leaves the last answer as it was. */
export interface Polled<T> {
  readonly value: T | null;
  /** Why the last request failed; null once one succeeds. */
  readonly fault: string | null;
  readonly refresh: () => void;
}

/** Asks every `everyMs` while the page is looked at, and `soonMs` after images have changed; 0: not for that. */
export const usePolled = <T>(
  ask: (signal: AbortSignal) => Promise<T>,
  live: Live,
  { everyMs, soonMs = 0 }: { everyMs: number; soonMs?: number },
): Polled<T> => {
  const [value, setValue] = useState<T | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const refresh = useRef<() => void>(() => undefined);

  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    let dueAt = 0;
    let asking = false;
    const schedule = (ms: number) => {
      dueAt = Date.now() + ms;
      window.clearTimeout(timer);
      timer = window.setTimeout(poll, ms);
    };
    const poll = async () => {
      if (asking || document.hidden) return;
      asking = true;
      try {
        setValue(await ask(abort.signal));
        setFault(null);
      } catch (error) {
        if (!abort.signal.aborted) setFault(describeFault(error));
      }
      asking = false;
      if (!abort.signal.aborted) schedule(everyMs);
    };
    const soon = () => {
      if (soonMs > 0 && !asking && dueAt - Date.now() > soonMs) schedule(soonMs);
    };
    const now = () => void poll();
    refresh.current = now;
    const stopChanges = live.subscribe(soon);
    const stopConnection = live.subscribeConnection(now);
    document.addEventListener('visibilitychange', now);
    now();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      stopChanges();
      stopConnection();
      document.removeEventListener('visibilitychange', now);
    };
  }, [ask, live, everyMs, soonMs]);

  const [ask0] = useState(() => () => refresh.current());
  return { value, fault, refresh: ask0 };
};
