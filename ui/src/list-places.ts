import type { Edge } from './grid-geometry.ts';

/** Where a list was left. */
export interface ListPlace extends Edge {
  /** The image at its edge. */
  readonly image: string;
  /** How far the page was scrolled: what counts as long as the first row can be seen. */
  readonly top: number;
  /** The image that had the focus; empty: none. */
  readonly focused: string;
}

const item = 'gantry.places';
const most = 30;

const read = (): readonly (readonly [string, ListPlace])[] => {
  try {
    return JSON.parse(sessionStorage.getItem(item) ?? '[]') as [string, ListPlace][];
  } catch {
    // A browser may refuse to store anything, and keep no promise about what it gives back.
    return [];
  }
};

// This tab's, also of the page before a reload.
const places = new Map(read());

/** Where a list was left; undefined: it is new, or was left long ago. */
export const placeOf = (list: string): ListPlace | undefined => places.get(list);

/** Takes note of where a list is left. */
export const leaveAt = (list: string, place: ListPlace): void => {
  places.delete(list);
  places.set(list, place);
  for (const [oldest] of places) if (places.size > most) places.delete(oldest);
  try {
    sessionStorage.setItem(item, JSON.stringify([...places]));
  } catch {
    // Then it is known until the page is loaded again.
  }
};
