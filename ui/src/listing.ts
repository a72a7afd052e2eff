import type { Filter, Image, ImageState, Page } from './api.ts';
import type { Change } from './live.ts';

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
  /** Somebody has scrolled down: nothing enters or leaves the list until they are back at its top. */
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
/** A page and the cursor it was asked for with. */
export interface Answer {
  readonly after: string | null;
  readonly page: Page;
}
export type ListingAction =
  | { kind: 'requested' }
  | { kind: 'refreshed'; answers: readonly Answer[]; at: number }
  | { kind: 'checked'; answers: readonly Answer[]; at: number }
  | { kind: 'loaded'; answer: Answer }
  | { kind: 'changed'; changes: readonly Change[] }
  | { kind: 'shown'; first: number; last: number }
  | { kind: 'failed'; reason: string };

/** Chunks to keep in memory on either side of those shown. */
const keptAround = 2;
/** More than anybody wants to read; the page says "at least". */
export const mostFresh = 1_000;

const rank: Record<ImageState, number> = { queued: 0, processing: 1, succeeded: 2, failed: 2, dead: 2 };

/** Whether `a` was said later than `b` of the same image, whichever arrived first. */
export const supersedes = (a: Image, b: Image): boolean => {
  if (a.generation !== b.generation) return a.generation > b.generation;
  if (a.updatedAt !== b.updatedAt) return a.updatedAt > b.updatedAt;
  return rank[a.state] >= rank[b.state];
};

const folded = (text: string) => text.normalize('NFC').toLowerCase();

const matches = (image: Image, { state, label, text, from, until }: Filter) =>
  (!state || image.state === state) &&
  (!label || image.result?.label === label) &&
  (!text || folded(image.filename).includes(folded(text))) &&
  (!from || Date.parse(image.createdAt) >= Date.parse(from)) &&
  (!until || Date.parse(image.createdAt) < Date.parse(until));

const countOf = (chunks: readonly Chunk[]) => chunks.reduce((sum, { count }) => sum + count, 0);

/** The chunk that this place lies in, and the place within it. */
const locate = (chunks: readonly Chunk[], index: number) => {
  let rest = index;
  for (const [at, { count }] of chunks.entries()) {
    if (rest < count) return { at, rest };
    rest -= count;
  }
  return undefined;
};

/** UUIDv7: the order of the IDs is the order of the uploads, and the server's. Where `id` stands or would stand. */
const placeIn = (images: readonly Image[], id: string): number => {
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

const chunkOf = ({ after, page: { images, next } }: Answer): Chunk => ({
  after,
  floor: next === null ? '' : (images.at(-1)?.id ?? ''),
  count: images.length,
  images,
});

const without = (ids: ReadonlySet<string>, id: string): ReadonlySet<string> =>
  ids.has(id) ? new Set([...ids].filter((one) => one !== id)) : ids;

const put = (listing: Listing, image: Image): Listing => {
  const { chunks, filter, held, fresh } = listing;
  const at = chunks.findIndex(({ floor }) => image.id >= floor);
  const chunk = chunks[at];
  // Older than everything loaded, or let go of: its page will tell.
  if (!chunk?.images) return listing;
  const place = placeIn(chunk.images, image.id);
  const known = chunk.images[place];
  const listed = known?.id === image.id ? known : undefined;
  const fits = matches(image, filter);
  const withImages = (images: readonly Image[], count: number): Listing => ({
    ...listing,
    chunks: chunks.with(at, { ...chunk, images, count }),
    count: listing.count + count - chunk.count,
  });
  if (listed) {
    if (!supersedes(image, listed)) return listing;
    if (fits || held) return withImages(chunk.images.with(place, image), chunk.count);
    return withImages(chunk.images.toSpliced(place, 1), chunk.count - 1);
  }
  if (!fits) return { ...listing, fresh: without(fresh, image.id) };
  if (!held) return withImages(chunk.images.toSpliced(place, 0, image), chunk.count + 1);
  return fresh.size < mostFresh ? { ...listing, fresh: new Set([...fresh, image.id]) } : listing;
};

const take = (listing: Listing, id: string): Listing => {
  const { chunks, held } = listing;
  const fresh = without(listing.fresh, id);
  const at = chunks.findIndex(({ floor }) => id >= floor);
  const chunk = chunks[at];
  const place = chunk?.images ? placeIn(chunk.images, id) : -1;
  if (!chunk?.images || chunk.images[place]?.id !== id) return { ...listing, fresh };
  if (held) return { ...listing, fresh, gone: new Set([...listing.gone, id]) };
  const images = chunk.images.toSpliced(place, 1);
  return {
    ...listing,
    fresh,
    chunks: chunks.with(at, { ...chunk, images, count: chunk.count - 1 }),
    count: listing.count - 1,
  };
};

const apply = (listing: Listing, heard: Iterable<readonly [string, Image | null]>): Listing => {
  let result = listing;
  for (const [id, image] of heard) result = image ? put(result, image) : take(result, id);
  return result;
};

/** An answer that is newer than what is shown, without moving anything: new words, and what is no longer there. */
const check = (listing: Listing, { after, page }: Answer): Listing => {
  const said = new Set(page.images.map(({ id }) => id));
  const covered = page.next === null ? '' : (page.images.at(-1)?.id ?? '');
  const chunk = listing.chunks.find((one) => one.after === after);
  const absent = (chunk?.images ?? []).filter(({ id }) => id >= covered && !said.has(id));
  const checked = absent.reduce((so, { id }) => take(so, id), listing);
  return page.images.reduce(put, checked);
};

const load = (listing: Listing, answer: Answer): Listing => {
  const { after, page } = answer;
  const at = listing.chunks.findIndex((chunk) => chunk.after === after);
  const chunk = listing.chunks[at];
  if (chunk) {
    // Whatever was deleted meanwhile has let images of the next chunk move up into this page.
    const images = page.images.filter(({ id }) => id >= chunk.floor).slice(0, chunk.count);
    return { ...listing, chunks: listing.chunks.with(at, { ...chunk, images }) };
  }
  if (after !== listing.next) return listing;
  return {
    ...listing,
    chunks: [...listing.chunks, chunkOf(answer)],
    count: listing.count + page.images.length,
    next: page.next,
  };
};

const letGo = (chunks: readonly Chunk[], first: number, last: number): readonly Chunk[] => {
  const from = (locate(chunks, first)?.at ?? 0) - keptAround;
  const to = (locate(chunks, last)?.at ?? chunks.length - 1) + keptAround;
  // The first chunk stays: new images come before it, so that its page would be another one.
  const far = (at: number) => at > 0 && (at < from || at > to);
  if (!chunks.some(({ images }, at) => images && far(at))) return chunks;
  return chunks.map((chunk, at) => (far(at) && chunk.images ? { ...chunk, images: null } : chunk));
};

const toEntry = (change: Change) =>
  change.kind === 'image' ? ([change.image.id, change.image] as const) : ([change.id, null] as const);

const nobody: ReadonlySet<string> = new Set();

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

/** Merges pages and events in whatever order they arrive; the newest word on an image wins, a deletion always. */
export const reduceListing = (listing: Listing, action: ListingAction): Listing => {
  const heard = listing.heard ?? [];
  switch (action.kind) {
    case 'requested':
      return { ...listing, heard: new Map() };
    case 'refreshed': {
      const chunks = action.answers.map(chunkOf);
      const next = action.answers.at(-1)?.page.next ?? null;
      const anew = { ...listing, chunks, next, count: countOf(chunks), fresh: nobody, gone: nobody };
      return {
        ...apply({ ...anew, held: false }, heard),
        ...{ phase: 'ready', fault: null, asOf: action.at, heard: null },
      };
    }
    case 'checked':
      return {
        ...apply(action.answers.reduce(check, listing), heard),
        ...{ fault: null, asOf: action.at, heard: null },
      };
    case 'loaded':
      return { ...apply(load(listing, action.answer), heard), fault: null, heard: null };
    case 'changed': {
      const entries = action.changes.map(toEntry);
      const merged = listing.phase === 'ready' ? apply(listing, entries) : listing;
      return { ...merged, heard: listing.heard && new Map([...listing.heard, ...entries]) };
    }
    case 'shown': {
      const held = listing.held || action.first > 0;
      const chunks = letGo(listing.chunks, action.first, action.last);
      return held === listing.held && chunks === listing.chunks ? listing : { ...listing, held, chunks };
    }
    case 'failed':
      return {
        ...listing,
        phase: listing.phase === 'ready' ? 'ready' : 'failed',
        fault: action.reason,
        heard: null,
      };
  }
};
