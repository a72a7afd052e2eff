import { useLayoutEffect, useRef } from 'react';
import { type Edge, edgeAt, type Geometry, offsetOf } from './grid-geometry.ts';
import type { ListPlace } from './list-places.ts';

/** How far the page is scrolled where a list of `count` cells was left. */
export const startOf = (
  left: ListPlace | undefined,
  geometry: Geometry,
  count: number,
  indexOf: (key: string) => number,
): number => {
  if (!left || left.index === 0) return window.scrollY;
  const found = indexOf(left.image);
  // An image that is gone has left its place to others; a list that is much shorter is another one.
  const index = found < 0 ? left.index : found;
  return index < count ? offsetOf(geometry, { ...left, index }) : 0;
};

/** The row at the window's edge stays there when the rows change their number or height. */
export const useKeptEdge = (geometry: Geometry, offset: number, scrollTo: (offset: number) => void): void => {
  const before = useRef<{ geometry: Geometry; offset: number; edge: Edge } | null>(null);
  useLayoutEffect(() => {
    const was = before.current;
    const same = was?.geometry.columns === geometry.columns && was.geometry.height === geometry.height;
    if (was && !same) {
      before.current = { ...was, geometry };
      if (was.edge.index > 0) scrollTo(offsetOf(geometry, was.edge));
      // Until the browser has scrolled, the offset says nothing about these rows.
    } else if (was?.offset !== offset) before.current = { geometry, offset, edge: edgeAt(geometry, offset) };
  });
};

/** Calls the newest `action` when the component goes, or the page. */
export const useOnLeave = (action: () => void): void => {
  const newest = useRef(action);
  useLayoutEffect(() => {
    newest.current = action;
  });
  useLayoutEffect(() => {
    const leave = () => newest.current();
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('pagehide', leave);
      leave();
    };
  }, []);
};
