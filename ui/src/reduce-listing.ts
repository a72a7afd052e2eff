import type { Filter, Image, ImageState, Page } from './api.ts';
import { type Chunk, type Listing, locate, mostFresh, nobody, placeIn } from './listing.ts';
import type { Change } from './live.ts';

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
  | { kind: 'held' }
  | { kind: 'left' }
  | { kind: 'failed'; reason: string };

/** Chunks to keep in memory on either side of those shown. */
const keptAround = 2;
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
    case 'held':
      return listing.held ? listing : { ...listing, held: true };
    case 'left':
      // Nobody waits for an answer any more.
      return { ...listing, heard: null };
    case 'failed':
      return {
        ...listing,
        phase: listing.phase === 'ready' ? 'ready' : 'failed',
        fault: action.reason,
        heard: null,
      };
  }
};
