import { useEffect, useLayoutEffect, useState, useSyncExternalStore } from 'react';
import { type Filter, noFilter } from './api.ts';
import { createKeptLists } from './kept-lists.ts';
import { placeOf } from './list-places.ts';
import type { Live } from './live.ts';
import { type Place, useEntry } from './view.ts';

const filterOf = (place: Place, filter: Filter): Filter | null => {
  if (place === 'system') return null;
  return place === 'dead-letters' ? { ...noFilter, state: 'dead' } : filter;
};

/**
 * The list of what is looked at, as it was left if the browser goes back or forth to it: dead letters are the images of
 * that state, and nothing is listed where there is no list.
 */
export const useKeptList = (live: Live, place: Place, filter: Filter) => {
  const entry = useEntry();
  const [lists] = useState(() => createKeptLists(live));
  useEffect(() => lists.close, [lists]);
  const list = lists.at(entry, filterOf(place, filter));
  useEffect(() => lists.open(list), [lists, list]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: also the same place once more is at its top
  useLayoutEffect(() => {
    const left = placeOf(list.key);
    // A place further down is for the list to find: only it knows how tall its rows are.
    if (!left || left.index === 0) window.scrollTo(0, left?.top ?? list.top);
  }, [entry.list, list.key]);
  return { list, listing: useSyncExternalStore(list.source.subscribe, list.source.listing) };
};
