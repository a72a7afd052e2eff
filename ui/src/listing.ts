import type { Filter, Image, ImageState, Page } from './api.ts';
import type { Change } from './live.ts';

/** The images shown, newest first. */
export interface Listing {
  readonly filter: Filter;
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly images: readonly Image[];
  readonly next: string | null;
  /** How many images the user has asked to see. */
  readonly wanted: number;
  readonly loadingMore: boolean;
  /** Why the last request failed; null once one succeeds. */
  readonly fault: string | null;
  /** When the list was last known to be right, in milliseconds since the epoch. */
  readonly asOf: number;
  /** What was heard while a request is on its way: its answer may be older. Null: deleted. */
  readonly heard: ReadonlyMap<string, Image | null>;
}
export type ListingAction =
  | { kind: 'requested' }
  | { kind: 'refreshed'; page: Page; at: number }
  | { kind: 'more-requested'; pageSize: number }
  | { kind: 'more'; page: Page }
  | { kind: 'changed'; changes: readonly Change[] }
  | { kind: 'failed'; reason: string };

const rank: Record<ImageState, number> = { queued: 0, processing: 1, succeeded: 2, failed: 2, dead: 2 };

/** Whether `a` was said later than `b` of the same image, whichever arrived first. */
export const supersedes = (a: Image, b: Image): boolean => {
  if (a.generation !== b.generation) return a.generation > b.generation;
  if (a.updatedAt !== b.updatedAt) return a.updatedAt > b.updatedAt;
  return rank[a.state] >= rank[b.state];
};

const matches = (image: Image, filter: Filter) =>
  (!filter.state || image.state === filter.state) && (!filter.label || image.result?.label === filter.label);

// UUIDv7: the order of the IDs is the order of the uploads, and the server's.
const isNewer = (a: Image, b: Image) => a.id > b.id;

const put = (
  images: readonly Image[],
  image: Image,
  filter: Filter,
  next: string | null,
): readonly Image[] => {
  const at = images.findIndex(({ id }) => id === image.id);
  const listed = images[at];
  if (listed && !supersedes(image, listed)) return images;
  if (!matches(image, filter)) return listed ? images.toSpliced(at, 1) : images;
  if (listed) return images.with(at, image);
  const before = images.findIndex((other) => isNewer(image, other));
  if (before >= 0) return images.toSpliced(before, 0, image);
  // Older than everything listed: it belongs to a page that is not loaded yet.
  return next ? images : [...images, image];
};

const apply = (
  images: readonly Image[],
  heard: Iterable<readonly [string, Image | null]>,
  filter: Filter,
  next: string | null,
) => {
  let result = images;
  for (const [id, image] of heard) {
    result = image ? put(result, image, filter, next) : result.filter((other) => other.id !== id);
  }
  return result;
};

const toEntry = (change: Change) =>
  change.kind === 'image' ? ([change.image.id, change.image] as const) : ([change.id, null] as const);

export const emptyListing = (filter: Filter, pageSize: number): Listing => ({
  filter,
  phase: 'loading',
  images: [],
  next: null,
  wanted: pageSize,
  loadingMore: false,
  fault: null,
  asOf: 0,
  heard: new Map(),
});

/** Merges pages and events in whatever order they arrive; the newest word on an image wins, a deletion always. */
export const reduceListing = (listing: Listing, action: ListingAction): Listing => {
  const { filter, images, heard, next } = listing;
  switch (action.kind) {
    case 'requested':
      return { ...listing, heard: new Map() };
    case 'refreshed':
      return {
        ...listing,
        phase: 'ready',
        fault: null,
        asOf: action.at,
        next: action.page.next,
        images: apply(action.page.images, heard, filter, action.page.next),
      };
    case 'more-requested':
      return { ...listing, loadingMore: true, wanted: listing.wanted + action.pageSize };
    case 'more': {
      const known = new Set(images.map(({ id }) => id));
      const grown = [...images, ...action.page.images.filter(({ id }) => !known.has(id))];
      return {
        ...listing,
        loadingMore: false,
        fault: null,
        next: action.page.next,
        images: apply(grown, heard, filter, action.page.next),
      };
    }
    case 'changed': {
      const entries = action.changes.map(toEntry);
      return {
        ...listing,
        images: listing.phase === 'ready' ? apply(images, entries, filter, next) : images,
        heard: new Map([...heard, ...entries]),
      };
    }
    case 'failed':
      return {
        ...listing,
        phase: listing.phase === 'ready' ? 'ready' : 'failed',
        loadingMore: false,
        fault: action.reason,
      };
  }
};
