import { createContext, useContext } from 'react';
import type { Scope } from '../../src/access/api-key.ts';
import { type Key, onUnauthorized, readSession, signIn, signOut } from './api.ts';

/** Who uses the page. `open`: the server wants no keys, or has not said so yet. */
export type Session =
  | { readonly kind: 'loading' }
  | { readonly kind: 'open' }
  /** `ended`: somebody was signed in. */
  | { readonly kind: 'signed-out'; readonly ended: boolean }
  | { readonly kind: 'signed-in'; readonly key: Key };

export interface SessionSource {
  session(): Session;
  subscribe(listener: () => void): () => void;
  /** Asks the server who is signed in, and once more whenever it refuses a request for want of a key. */
  open(): () => void;
  /** Throws ApiFault. */
  signIn(key: string): Promise<void>;
  /** Throws ApiFault. */
  signOut(): Promise<void>;
}

export const createSession = (): SessionSource => {
  const listeners = new Set<() => void>();
  let session: Session = { kind: 'loading' };

  const become = (next: Session) => {
    session = next;
    for (const listener of listeners) listener();
  };
  const refresh = async () => {
    try {
      const { keys, key } = await readSession();
      if (key) become({ kind: 'signed-in', key });
      else if (keys) become({ kind: 'signed-out', ended: session.kind === 'signed-in' });
      else become({ kind: 'open' });
    } catch {
      // The page itself tells of a server that does not answer; should it want a key, it will say so.
      if (session.kind === 'loading') become({ kind: 'open' });
    }
  };
  return {
    session: () => session,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open: () => {
      void refresh();
      return onUnauthorized(() => {
        if (session.kind !== 'signed-out') void refresh();
      });
    },
    signIn: async (text) => {
      const { key } = await signIn(text);
      if (key) become({ kind: 'signed-in', key });
    },
    signOut: async () => {
      await signOut();
      become({ kind: 'signed-out', ended: false });
    },
  };
};

export const SessionContext = createContext<Session>({ kind: 'open' });

/** Whether the server would let this page do what needs `scope`. */
export const useMay = (scope: Scope): boolean => {
  const session = useContext(SessionContext);
  if (session.kind !== 'signed-in') return session.kind === 'open';
  return session.key.scopes.includes(scope) || session.key.scopes.includes('admin');
};
