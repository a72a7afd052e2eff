import { ApiFault, type Filter, fetchPage } from './api.ts';
import { emptyListing, type Listing, missing } from './listing.ts';
import type { Change, Live } from './live.ts';
import { type Answer, type ListingAction, reduceListing } from './reduce-listing.ts';
import { texts } from './texts.ts';

/** The images that match one filter, kept up to date while it is open and, as far as events tell, after that. */
export interface ListingSource {
  listing(): Listing;
  subscribe(listener: () => void): () => void;
  /** Asks the server anew for what is shown. */
  refresh(): void;
  /** Says which places of the list can be seen: pages around them are loaded, pages far away let go of. */
  show(first: number, last: number): void;
  /** Asks for what is shown, and goes on asking until the returned function is called; from then on it only listens. */
  open(): () => void;
  /** Listens no more. */
  close(): void;
}
interface ListingStart {
  /** What is known of the list already. */
  readonly from?: Listing | undefined;
  /** The place to load it down to. */
  readonly reach?: number;
}

/** The first page is smaller, so that something is seen soon. */
const pageSize = { first: 60, next: 240 };
const largestRequest = 500;
/** Images loaded ahead of those seen. */
const ahead = 120;
/** A first page that others' uploads made this much longer is cut back. */
const tolerated = 240;
/** Events are only hints. Without them polling keeps the list right, with them it catches what got lost. */
const pollMs = { live: 60_000, otherwise: 4_000 };

/** A reason fit to show. */
export const describeFault = (fault: unknown): string =>
  fault instanceof ApiFault ? fault.message : texts.faults.network;

export const createListing = (
  live: Live,
  filter: Filter,
  { from = emptyListing(filter), reach = 0 }: ListingStart = {},
): ListingSource => {
  const listeners = new Set<() => void>();
  let listing = from;
  let stopChanges: (() => void) | undefined;
  let abort = new AbortController();
  // One request at a time: an answer must not meet a list that another answer has just changed.
  let queue: Promise<void> = Promise.resolve();
  let refreshWaits = false;
  let loadWaits = false;
  let timer: number | undefined;
  let seen = { first: 0, last: reach };

  const dispatch = (action: ListingAction) => {
    const before = listing;
    listing = reduceListing(listing, action);
    if (listing !== before) for (const listener of listeners) listener();
  };
  const enqueue = (work: (signal: AbortSignal) => Promise<ListingAction | undefined>) => {
    const { signal } = abort;
    queue = queue.then(async () => {
      if (signal.aborted) return;
      try {
        const action = await work(signal);
        if (!action || signal.aborted) return;
        dispatch(action);
        load();
      } catch (fault) {
        if (!signal.aborted) dispatch({ kind: 'failed', reason: describeFault(fault) });
      }
    });
  };
  const ask = async (after: string | null, limit: number, signal: AbortSignal): Promise<Answer> => ({
    after,
    page: await fetchPage(filter, after, Math.min(largestRequest, limit), signal),
  });
  /** From the top, as far as the list is seen. */
  const askAnew = async (signal: AbortSignal): Promise<readonly Answer[]> => {
    const answers = [await ask(null, pageSize.first, signal)];
    for (let count = pageSize.first; count <= seen.last; count += pageSize.next) {
      const after = answers.at(-1)?.page.next ?? null;
      if (after === null) break;
      answers.push(await ask(after, pageSize.next, signal));
    }
    return answers;
  };
  /** What is in memory, once more; without what has been let go of. */
  const askAgain = async (signal: AbortSignal): Promise<readonly Answer[]> => {
    const answers = [];
    for (const { after, images } of listing.chunks) {
      if (images) answers.push(await ask(after, Math.max(1, images.length), signal));
    }
    return answers;
  };
  const refresh = () => {
    if (refreshWaits) return;
    refreshWaits = true;
    enqueue(async (signal) => {
      refreshWaits = false;
      dispatch({ kind: 'requested' });
      const atTop = seen.first === 0;
      if (!atTop) return { kind: 'checked', answers: await askAgain(signal), at: Date.now() };
      const answers = await askAnew(signal);
      // Somebody who has scrolled down meanwhile must not lose what they look at.
      const kind = seen.first === 0 ? 'refreshed' : 'checked';
      return { kind, answers, at: Date.now() };
    });
  };
  const load = () => {
    if (loadWaits || !missing(listing, seen.first, seen.last, ahead)) return;
    loadWaits = true;
    enqueue(async (signal) => {
      loadWaits = false;
      // What is seen may be elsewhere by now.
      const wanted = missing(listing, seen.first, seen.last, ahead);
      if (!wanted) return undefined;
      dispatch({ kind: 'requested' });
      return { kind: 'loaded', answer: await ask(wanted.after, wanted.limit ?? pageSize.next, signal) };
    });
  };
  const schedulePoll = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(poll, live.connection() === 'live' ? pollMs.live : pollMs.otherwise);
  };
  const poll = () => {
    if (!document.hidden) refresh();
    schedulePoll();
  };

  const hear = (changes: readonly Change[]) => {
    dispatch({ kind: 'changed', changes });
    if ((listing.chunks[0]?.count ?? 0) <= pageSize.first + tolerated) return;
    if (abort.signal.aborted) dispatch({ kind: 'held' });
    else refresh();
  };

  return {
    listing: () => listing,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh,
    show: (first, last) => {
      const back = first === 0 && seen.first > 0;
      seen = { first, last };
      dispatch({ kind: 'shown', first, last });
      if (back && listing.held) refresh();
      load();
    },
    open: () => {
      abort = new AbortController();
      refreshWaits = false;
      loadWaits = false;
      stopChanges ??= live.subscribe(hear);
      const stopConnection = live.subscribeConnection(() => {
        // Between two connections nothing was heard.
        if (live.connection() === 'live') refresh();
        schedulePoll();
      });
      refresh();
      schedulePoll();
      return () => {
        abort.abort();
        window.clearTimeout(timer);
        stopConnection();
        dispatch({ kind: 'left' });
      };
    },
    close: () => stopChanges?.(),
  };
};
