import type { MouseEvent, ReactNode } from 'react';
import { goTo, type Place, viewUrl } from '../view.ts';

/** Handles a click on a link within the page; a new tab or window is the browser's own affair. */
export const onPlainClick =
  (action: () => void) =>
  (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    action();
  };

interface PlaceLinkProps {
  readonly place: Place;
  readonly current?: boolean;
  readonly children: ReactNode;
}

/** A link to another place of the page. */
export const PlaceLink = ({ place, current = false, children }: PlaceLinkProps) => (
  <a
    href={viewUrl({ place })}
    aria-current={current ? 'page' : undefined}
    onClick={onPlainClick(() => goTo(place))}
  >
    {children}
  </a>
);
