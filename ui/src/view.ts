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

const current = () => parseView(location.search);

const go = (view: View, how: 'pushState' | 'replaceState', state: { detail: boolean }) => {
  history[how](state, '', viewUrl(view));
  changed.dispatchEvent(new Event('change'));
};

const isDetail = () => Boolean((history.state as { detail?: boolean } | null)?.detail);

/** Changes the filter; `replace`: without an entry in the history, for what is typed letter by letter. */
export const filterBy = (filter: Filter, replace = false): void =>
  go({ ...current(), filter, image: null }, replace ? 'replaceState' : 'pushState', { detail: false });

/** Opens an image over the list; from an open one to the next it adds nothing to the history. */
export const openImage = (id: string): void => {
  const now = current();
  if (now.image) go({ ...now, image: id }, 'replaceState', { detail: isDetail() });
  else go({ ...now, image: id }, 'pushState', { detail: true });
};

/** Closes the open image. */
export const closeImage = (): void => {
  const now = current();
  if (!now.image) return;
  // Going back keeps the history free of an entry that shows the same list twice.
  if (isDetail()) history.back();
  else go({ ...now, image: null }, 'replaceState', { detail: false });
};

/** Goes to a place, at its top. */
export const goTo = (place: Place): void => {
  go({ place, filter: noFilter, image: null }, 'pushState', { detail: false });
  window.scrollTo(0, 0);
};

/** The view of the address. */
export const useView = (): View => {
  const search = useSyncExternalStore(subscribe, () => location.search);
  return useMemo(() => parseView(search), [search]);
};
