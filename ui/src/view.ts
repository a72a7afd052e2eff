import { useMemo, useSyncExternalStore } from 'react';
import { type Filter, noFilter } from './api.ts';
import { texts } from './texts.ts';

/** The pages of this page. They live in the query string: a path would clash with the API, which is served beside them. */
export type Place = 'images' | 'dead-letters' | 'system';

/** What the address says is shown: a place, its filter, and the image whose details are open. */
export interface View {
  readonly place: Place;
  readonly filter: Filter;
  readonly image: string | null;
}

/** What an entry of the browser's history says besides its address. */
export interface Entry {
  /** Names the list that is looked at, together with its filter; an image that is opened over it has the same. */
  readonly list: string;
  /** How far the page is scrolled when that list is new, in pixels. */
  readonly top: number;
  /** An image that was opened over the list: the entry before shows the same list. */
  readonly detail: boolean;
}

export const places = Object.keys(texts.places) as readonly Place[];

const oneOf = <T extends string>(names: Readonly<Record<T, unknown>>, value: string | null): T | '' =>
  value !== null && Object.hasOwn(names, value) ? (value as T) : '';

const timeOf = (value: string | null): string => {
  const moment = new Date(value ?? '');
  return Number.isNaN(moment.getTime()) ? '' : moment.toISOString();
};

/** Reads a query string; what does not exist counts as not said. */
export const parseView = (search: string): View => {
  const query = new URLSearchParams(search);
  return {
    place: oneOf(texts.places, query.get('view')) || 'images',
    filter: {
      state: oneOf(texts.states, query.get('state')),
      label: query.get('label') ?? '',
      text: query.get('text') ?? '',
      from: timeOf(query.get('from')),
      until: timeOf(query.get('until')),
    },
    image: query.get('image') || null,
  };
};

/** The address of a view, relative to the page; what is not said is as in the images without a filter. */
export const viewUrl = ({ place = 'images', filter = noFilter, image = null }: Partial<View>): string => {
  const query = new URLSearchParams();
  if (place !== 'images') query.set('view', place);
  for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value);
  if (image) query.set('image', image);
  return query.size > 0 ? `?${query}` : './';
};

const changed = new EventTarget();

const subscribe = (listener: () => void) => {
  changed.addEventListener('change', listener);
  window.addEventListener('popstate', listener);
  return () => {
    changed.removeEventListener('change', listener);
    window.removeEventListener('popstate', listener);
  };
};

const newEntry = (top: number): Entry => ({
  list: `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`,
  top,
  detail: false,
});

// The list finds its place by itself: a browser would scroll before its rows are there.
history.scrollRestoration = 'manual';
if (!(history.state as Entry | null)?.list) history.replaceState(newEntry(0), '');

let last = history.state as Entry;
const entry = (): Entry => {
  // A link to a heading makes an entry that says nothing: it shows what was shown before.
  last = (history.state as Entry | null) ?? last;
  return last;
};

const current = () => parseView(location.search);

const go = (view: View, how: 'pushState' | 'replaceState', state: Entry) => {
  history[how](state, '', viewUrl(view));
  changed.dispatchEvent(new Event('change'));
};

/** Changes the filter; `replace`: without an entry in the history, for what is typed letter by letter. */
export const filterBy = (filter: Filter, replace = false): void =>
  go(
    { ...current(), filter, image: null },
    replace ? 'replaceState' : 'pushState',
    // What was clicked stays under the pointer.
    { ...newEntry(window.scrollY), ...(replace && { list: entry().list }) },
  );

/** Opens an image over the list; from an open one to the next it adds nothing to the history. */
export const openImage = (id: string): void => {
  const now = current();
  if (now.image) go({ ...now, image: id }, 'replaceState', entry());
  else go({ ...now, image: id }, 'pushState', { ...entry(), detail: true });
};

/** Closes the open image. */
export const closeImage = (): void => {
  const now = current();
  if (!now.image) return;
  // Going back keeps the history free of an entry that shows the same list twice.
  if (entry().detail) history.back();
  else go({ ...now, image: null }, 'replaceState', entry());
};

/** Goes to a place, at its top. */
export const goTo = (place: Place): void =>
  go({ place, filter: noFilter, image: null }, 'pushState', newEntry(0));

/** The view of the address. */
export const useView = (): View => {
  const search = useSyncExternalStore(subscribe, () => location.search);
  return useMemo(() => parseView(search), [search]);
};

/** The entry of the browser's history that is looked at. */
export const useEntry = (): Entry => useSyncExternalStore(subscribe, entry);
