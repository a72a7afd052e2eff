import type { Filter, Image } from './api.ts';

/** One page of the list as the server gave it; the images are let go of while they are far from what is shown. */
export interface Chunk {
  /** The cursor that loads it. */
  readonly after: string | null;
  /** It holds the images from the chunk before down to this ID; empty: all that are left. */
  readonly floor: string;
  /** Places in the list. An image that is gone leaves its place empty, so that nothing jumps. */
  readonly count: number;
  readonly images: readonly Image[] | null;
}
/** What is at one place of the list. */
export type Slot = { kind: 'image'; image: Image } | { kind: 'gone' } | { kind: 'loading' };

/** The images that match a filter, newest first: as far as they were scrolled to, held in memory around what is shown. */
export interface Listing {
  readonly filter: Filter;
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly chunks: readonly Chunk[];
  readonly count: number;
  readonly next: string | null;
  /** Somebody has scrolled down, or it would grow too long: nothing enters or leaves the list until they are at its top. */
  readonly held: boolean;
  /** What would have entered since. */
  readonly fresh: ReadonlySet<string>;
  /** What would have left since. */
  readonly gone: ReadonlySet<string>;
  /** Why the last request failed; null once one succeeds. */
  readonly fault: string | null;
  /** When the list was last known to be right, in milliseconds since the epoch. */
  readonly asOf: number;
  /** What was heard while a request is on its way: its answer may be older. An image that is null: deleted. */
  readonly heard: ReadonlyMap<string, Image | null> | null;
}
/** More than anybody wants to read; the page says "at least". */
export const mostFresh = 1_000;

/** The chunk that this place lies in, and the place within it. */
export const locate = (chunks: readonly Chunk[], index: number) => {
  let rest = index;
  for (const [at, { count }] of chunks.entries()) {
    if (rest < count) return { at, rest };
    rest -= count;
  }
  return undefined;
};

/** UUIDv7: the order of the IDs is the order of the uploads, and the server's. Where `id` stands or would stand. */
export const placeIn = (images: readonly Image[], id: string): number => {
  let low = 0;
  let high = images.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((images[middle]?.id ?? '') > id) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** What stands at a place. */
export const slotAt = ({ chunks, gone }: Listing, index: number): Slot => {
  const place = index < 0 ? undefined : locate(chunks, index);
  const images = place && chunks[place.at]?.images;
  if (!place || !images) return { kind: 'loading' };
  const image = images[place.rest];
  return image && !gone.has(image.id) ? { kind: 'image', image } : { kind: 'gone' };
};

/** Where an image stands; -1 if it is not in memory. */
export const indexOf = ({ chunks }: Listing, id: string): number => {
  let before = 0;
  for (const { floor, images, count } of chunks) {
    if (id >= floor) {
      const at = images ? placeIn(images, id) : -1;
      return images?.[at]?.id === id ? before + at : -1;
    }
    before += count;
  }
  return -1;
};

/** The images beside one, as far as they are in memory. */
export const neighbours = (listing: Listing, id: string): { newer: Image | null; older: Image | null } => {
  const beside = (step: 1 | -1): Image | null => {
    for (let at = index + step; at >= 0 && at < listing.count; at += step) {
      const slot = slotAt(listing, at);
      if (slot.kind === 'image') return slot.image;
      if (slot.kind === 'loading') return null;
    }
    return null;
  };
  const index = indexOf(listing, id);
  return index < 0 ? { newer: null, older: null } : { newer: beside(-1), older: beside(1) };
};

/** The cursors of the pages that are wanted between two places and not in memory; the next page, if it is wanted. */
export const missing = ({ chunks, next, count }: Listing, first: number, last: number, ahead: number) => {
  const from = locate(chunks, Math.max(0, first))?.at ?? 0;
  const to = locate(chunks, Math.max(0, Math.min(last, count - 1)))?.at ?? -1;
  const dropped = chunks.slice(from, to + 1).find(({ images }) => !images);
  if (dropped) return { after: dropped.after, limit: dropped.count };
  return next !== null && last + ahead >= count ? { after: next, limit: undefined } : undefined;
};

export const nobody: ReadonlySet<string> = new Set();

export const emptyListing = (filter: Filter): Listing => ({
  filter,
  phase: 'loading',
  chunks: [],
  count: 0,
  next: null,
  held: false,
  fresh: nobody,
  gone: nobody,
  fault: null,
  asOf: 0,
  heard: null,
});

/** The beginning of a list, as a list; undefined if nothing of it is known. */
export const topOf = ({ filter, phase, chunks, next, gone, asOf }: Listing): Listing | undefined => {
  const [chunk, below] = chunks;
  if (phase !== 'ready' || !chunk?.images) return undefined;
  const images = chunk.images.filter(({ id }) => !gone.has(id));
  const count = images.length;
  if (count === 0) return undefined;
  return {
    ...emptyListing(filter),
    ...{ phase, count, asOf, chunks: [{ ...chunk, images, count }], next: below?.after ?? next },
  };
};
