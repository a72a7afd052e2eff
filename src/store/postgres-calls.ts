import { setTimeout as pause } from 'node:timers/promises';
import { isRetriable } from './postgres-faults.ts';
import { type Store, StoreError } from './store.ts';

type Call = (...args: never[]) => Promise<unknown>;

/** Times a call is tried whose transaction the server rolled back for the sake of another one. */
const attempts = 5;

const untilDone = async (call: () => Promise<unknown>): Promise<unknown> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isRetriable(error) || attempt === attempts) throw error;
      await pause(Math.random() * 10 * 2 ** attempt);
    }
  }
};

/** Which answers say that the call has written events or outbox rows. */
const changes: { readonly [Name in keyof Store]?: (answer: Awaited<ReturnType<Store[Name]>>) => boolean } = {
  accept: (acceptances) => acceptances.some(({ kind }) => kind === 'accepted'),
  started: () => true,
  record: (recorded) => recorded.includes('recorded'),
  requeue: (count) => count > 0,
  reprocess: (job) => typeof job === 'object',
  replayDead: (count) => count > 0,
  remove: (removed) => removed !== 'not-found',
};

/**
 * The store with deadlocks tried again, `changed` called after every commit that others want to hear of, and a
 * `close` that waits for calls under way.
 */
export const guarded = (store: Store, changed: () => void): Store => {
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const guard =
    (name: string, call: Call) =>
    async (...args: never[]) => {
      if (closing) throw new StoreError('closed', 'the store is closed');
      const work = untilDone(() => call(...args));
      underWay.add(work);
      try {
        const answer = await work;
        const hasChanged = changes[name as keyof Store] as ((answer: unknown) => boolean) | undefined;
        if (hasChanged?.(answer)) changed();
        return answer;
      } finally {
        underWay.delete(work);
      }
    };
  const { onChange, close, ...calls } = store;
  const guardedCalls = Object.entries(calls).map(([name, call]) => [name, guard(name, call as Call)]);
  return {
    ...(Object.fromEntries(guardedCalls) as typeof calls),
    onChange,
    close() {
      closing ??= Promise.allSettled(underWay).then(close);
      return closing;
    },
  };
};
