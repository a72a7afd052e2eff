import { createContext } from 'react';
import { type Filter, noFilter } from './api.ts';
import { placeOf } from './list-places.ts';
import { topOf } from './listing.ts';
import { createListing, type ListingSource } from './listing-source.ts';
import type { Live } from './live.ts';
import type { Entry } from './view.ts';

/** A list of an entry of the browser's history, as it was when it was left. */
export interface KeptList {
  /** Its name, which no other list has. */
  readonly key: string;
  /** How far the page is scrolled where the list was not left anywhere yet. */
  readonly top: number;
  readonly source: ListingSource;
}
export interface KeptLists {
  /** The list of an entry that shows this filter: the one that was left or, the first time, a new one; null: none. */
  at(entry: Entry, filter: Filter | null): KeptList;
  /** Keeps the list up to date until the returned function is called; lists that were left long ago are let go of. */
  open(list: KeptList): () => void;
  /** Lets go of all of them. */
  close(): void;
}

/** Lists kept besides the one that is looked at: enough to go back and forth. */
const mostLeft = 6;
/** A place this far down a list is found again after a reload with two or three requests; one beyond is not. */
const farthest = 500;

export const createKeptLists = (live: Live): KeptLists => {
  // From the one that was left longest ago to the one that is looked at.
  const lists = new Map<string, KeptList & { readonly entry: string }>();
  const drop = (key: string) => {
    lists.get(key)?.source.close();
    lists.delete(key);
  };
  const create = (key: string, filter: Filter): ListingSource => {
    const index = placeOf(key)?.index ?? 0;
    if (index > 0 && index < farthest) return createListing(live, filter, { reach: index });
    // The beginning of the same list is there at once; what it lacks is asked for as ever.
    const same = [...lists.values()].findLast(
      ({ source }) => JSON.stringify(source.listing().filter) === JSON.stringify(filter),
    );
    return createListing(live, filter, { from: same && topOf(same.source.listing()) });
  };
  const nothing: KeptList = { key: '', top: 0, source: createListing(live, noFilter) };
  return {
    at: ({ list: entry, top }, filter) => {
      if (!filter) return nothing;
      const key = `${entry} ${JSON.stringify(filter)}`;
      const list = lists.get(key) ?? { key, top, entry, source: create(key, filter) };
      lists.set(key, list);
      return list;
    },
    open: ({ key }) => {
      const list = lists.get(key);
      if (!list) return () => undefined;
      lists.delete(key);
      lists.set(key, list);
      for (const [other, { entry }] of lists) {
        // What was typed letter by letter took the place of the filter before in the history.
        const replaced = other !== key && entry === list.entry;
        if (replaced || lists.size > mostLeft + 1) drop(other);
      }
      return list.source.open();
    },
    close: () => {
      for (const key of lists.keys()) drop(key);
    },
  };
};

/** The list that is looked at. */
export const KeptListContext = createContext<Pick<KeptList, 'key' | 'top'>>({ key: '', top: 0 });
