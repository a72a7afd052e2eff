import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { Filter, ImageState } from './api.ts';
import { texts } from './texts.ts';

/** What the address says is shown: a filter, and the image whose details are open. */
export interface View extends Filter {
  readonly image: string | null;
}

/** Reads a query string; a state that does not exist counts as none. */
export const parseView = (search: string): View => {
  const query = new URLSearchParams(search);
  const state = query.get('state') ?? '';
  return {
    state: Object.hasOwn(texts.states, state) ? (state as ImageState) : '',
    label: query.get('label') ?? '',
    image: query.get('image') || null,
  };
};

/** The address of a view, relative to the page. */
export const viewUrl = (view: View): string => {
  const query = new URLSearchParams();
  if (view.state) query.set('state', view.state);
  if (view.label) query.set('label', view.label);
  if (view.image) query.set('image', view.image);
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

const go = (view: View, how: 'pushState' | 'replaceState', state: { detail: boolean }) => {
  history[how](state, '', viewUrl(view));
  changed.dispatchEvent(new Event('change'));
};

/** The view of the address, and the ways to change it; the back button undoes each of them. */
export const useView = () => {
  const search = useSyncExternalStore(subscribe, () => location.search);
  const view = useMemo(() => parseView(search), [search]);
  const filterBy = useCallback(
    (filter: Filter) => go({ ...filter, image: null }, 'pushState', { detail: false }),
    [],
  );
  const open = useCallback(
    (id: string) => go({ ...parseView(location.search), image: id }, 'pushState', { detail: true }),
    [],
  );
  const close = useCallback(() => {
    const now = parseView(location.search);
    if (!now.image) return;
    // Going back keeps the history free of an entry that shows the same list twice.
    if ((history.state as { detail?: boolean } | null)?.detail) history.back();
    else go({ ...now, image: null }, 'replaceState', { detail: false });
  }, []);
  return { view, filterBy, open, close };
};
