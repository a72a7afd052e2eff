import type { ClientError } from '../client/client.ts';

/** What all requests of a run know of the server: whether it answers, and since when it does not. */
export interface Outage {
  /** Aborts when the server has been away, or overloaded, for too long. */
  readonly over: AbortSignal;
  failed(error: ClientError): void;
  worked(): void;
}

/** Tells once when the server goes away, with a `hint`, and when it is back; gives up `patienceMs` after it went. */
export const watchOutage = (patienceMs: number, tell: (line: string) => void, hint = ''): Outage => {
  const over = new AbortController();
  let giveUp: NodeJS.Timeout | undefined;
  return {
    over: over.signal,
    failed({ message }) {
      if (giveUp !== undefined) return;
      tell(`${message}; trying again for up to ${Math.round(patienceMs / 1000)} s (Ctrl-C stops)${hint}`);
      giveUp = setTimeout(() => over.abort(), patienceMs);
      giveUp.unref();
    },
    worked() {
      if (giveUp === undefined) return;
      clearTimeout(giveUp);
      giveUp = undefined;
      tell('the server answers again');
    },
  };
};
