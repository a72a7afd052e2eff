import { ApiFault, type Filter, fetchPage, type Image, type Page } from './api.ts';
import { emptyListing, type Listing, type ListingAction, reduceListing } from './listing.ts';
import type { Live } from './live.ts';
import { texts } from './texts.ts';

/** The images that match one filter, kept up to date while it is open. */
export interface ListingSource {
  listing(): Listing;
  subscribe(listener: () => void): () => void;
  /** Asks the server anew for as many images as are wanted. */
  refresh(): void;
  loadMore(): void;
  /** Loads the first page and follows events until the returned function is called. */
  open(): () => void;
}

const pageSize = 48;
const largestRequest = 480;
/** A list that others' uploads made this much longer than wanted is cut back. */
const tolerated = 96;
/** Events are only hints. Without them polling keeps the list right, with them it catches what got lost. */
const pollMs = { live: 60_000, otherwise: 4_000 };

/** A reason fit to show. */
export const describeFault = (fault: unknown): string =>
  fault instanceof ApiFault ? fault.message : texts.faults.network;

const fetchWanted = async (filter: Filter, wanted: number, signal: AbortSignal): Promise<Page> => {
  const images: Image[] = [];
  let next: string | null = null;
  do {
    const limit: number = Math.min(largestRequest, wanted - images.length);
    const page: Page = await fetchPage(filter, next, limit, signal);
    images.push(...page.images);
    next = page.next;
  } while (next && images.length < wanted);
  return { images, next };
};

export const createListing = (live: Live, filter: Filter): ListingSource => {
  const listeners = new Set<() => void>();
  let listing = emptyListing(filter, pageSize);
  let abort = new AbortController();
  // One request at a time: an answer must not meet a list that another answer has just changed.
  let queue: Promise<void> = Promise.resolve();
  let refreshWaits = false;
  let timer: number | undefined;

  const dispatch = (action: ListingAction) => {
    listing = reduceListing(listing, action);
    for (const listener of listeners) listener();
  };
  const enqueue = (work: (signal: AbortSignal) => Promise<ListingAction | undefined>) => {
    const { signal } = abort;
    queue = queue.then(async () => {
      if (signal.aborted) return;
      try {
        const action = await work(signal);
        if (action && !signal.aborted) dispatch(action);
      } catch (fault) {
        if (!signal.aborted) dispatch({ kind: 'failed', reason: describeFault(fault) });
      }
    });
  };
  const refresh = () => {
    if (refreshWaits) return;
    refreshWaits = true;
    enqueue(async (signal) => {
      refreshWaits = false;
      dispatch({ kind: 'requested' });
      const page = await fetchWanted(filter, listing.wanted, signal);
      return { kind: 'refreshed', page, at: Date.now() };
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

  return {
    listing: () => listing,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh,
    loadMore: () => {
      dispatch({ kind: 'more-requested', pageSize });
      enqueue(async (signal) => {
        const { next } = listing;
        if (!next) return { kind: 'more', page: { images: [], next } };
        dispatch({ kind: 'requested' });
        return { kind: 'more', page: await fetchPage(filter, next, pageSize, signal) };
      });
    },
    open: () => {
      abort = new AbortController();
      refreshWaits = false;
      const stopChanges = live.subscribe((changes) => {
        dispatch({ kind: 'changed', changes });
        if (listing.images.length > listing.wanted + tolerated) refresh();
      });
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
        stopChanges();
        stopConnection();
      };
    },
  };
};
