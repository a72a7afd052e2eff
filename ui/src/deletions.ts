import { createContext, useSyncExternalStore } from 'react';
import { ApiFault, remove } from './api.ts';
import { describeFault } from './listing-source.ts';

/** An image that was asked to be deleted. `waiting`: the server has not been asked yet, and it can be undone. */
export interface Deletion {
  readonly id: string;
  readonly name: string;
  readonly phase: 'waiting' | 'asked' | 'failed';
  readonly reason: string | null;
}
export interface Deletions {
  /** Deletes an image in a few seconds. */
  add(id: string, name: string): void;
  undo(id: string): void;
  /** Takes a failed deletion off the list. */
  dismiss(id: string): void;
  /** While somebody points at them, none begins. */
  hold(): void;
  resume(): void;
  deletions(): readonly Deletion[];
  subscribe(listener: () => void): () => void;
  /** Deletes at once what waits when the page is left, until the returned function is called. */
  open(): () => void;
}

const undoMs = 8_000;

/** Deletions that can be undone because the server is asked late. `onEnd` hears of each that succeeded. */
export const createDeletions = (onEnd: (deletion: Deletion) => void): Deletions => {
  const listeners = new Set<() => void>();
  const timers = new Map<string, number>();
  let deletions: readonly Deletion[] = [];

  const become = (next: readonly Deletion[]) => {
    deletions = next;
    for (const listener of listeners) listener();
  };
  const without = (id: string) => deletions.filter((one) => one.id !== id);
  const update = (id: string, change: Partial<Deletion>) =>
    become(deletions.map((one) => (one.id === id ? { ...one, ...change } : one)));
  const stop = (id: string) => {
    window.clearTimeout(timers.get(id));
    timers.delete(id);
  };
  const begin = async (deletion: Deletion, keepalive = false) => {
    const { id } = deletion;
    stop(id);
    update(id, { phase: 'asked' });
    try {
      await remove(id, keepalive).catch((fault: unknown) => {
        // Somebody else was faster: it is deleted all the same.
        if (!(fault instanceof ApiFault) || fault.status !== 404) throw fault;
      });
      onEnd(deletion);
      become(without(id));
    } catch (fault) {
      update(id, { phase: 'failed', reason: describeFault(fault) });
    }
  };
  const start = (deletion: Deletion) =>
    timers.set(
      deletion.id,
      window.setTimeout(() => void begin(deletion), undoMs),
    );
  const waiting = () => deletions.filter(({ phase }) => phase === 'waiting');

  return {
    add: (id, name) => {
      const deletion: Deletion = { id, name, phase: 'waiting', reason: null };
      become([...without(id), deletion]);
      start(deletion);
    },
    undo: (id) => {
      stop(id);
      become(without(id));
    },
    dismiss: (id) => become(without(id)),
    hold: () => {
      for (const { id } of waiting()) stop(id);
    },
    resume: () => {
      for (const deletion of waiting()) {
        stop(deletion.id);
        start(deletion);
      }
    },
    deletions: () => deletions,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open: () => {
      const leave = () => {
        for (const deletion of waiting()) void begin(deletion, true);
      };
      window.addEventListener('pagehide', leave);
      return () => window.removeEventListener('pagehide', leave);
    },
  };
};

export const DeletionsContext = createContext<Deletions>(createDeletions(() => undefined));

const idsOf = new WeakMap<readonly Deletion[], ReadonlySet<string>>();

/** The images whose deletion is under way. */
export const useLeaving = ({ subscribe, deletions }: Deletions): ReadonlySet<string> => {
  const all = useSyncExternalStore(subscribe, deletions);
  const ids = idsOf.get(all) ?? new Set(all.filter(({ phase }) => phase !== 'failed').map(({ id }) => id));
  idsOf.set(all, ids);
  return ids;
};
