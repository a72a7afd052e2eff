import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Filter, type Image, noFilter } from './api.ts';
import { emptyListing, indexOf, type Listing, missing, neighbours, slotAt, topOf } from './listing.ts';
import { type ListingAction, reduceListing } from './reduce-listing.ts';

const image = (
  id: string,
  state: Image['state'] = 'queued',
  updatedAt = '2026-01-01T00:00:00.000Z',
): Image => ({
  id,
  state,
  filename: `${id}.jpg`,
  contentType: 'image/jpeg',
  bytes: 1,
  sha256: '',
  width: null,
  height: null,
  pipeline: 'pets',
  generation: 1,
  attempts: 0,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt,
  result: null,
  error: null,
});
const images = (...ids: string[]) => ids.map((id) => image(id));
const heard = (...all: Image[]): ListingAction => ({
  kind: 'changed',
  changes: all.map((one) => ({ kind: 'image', image: one })),
});
const deleted = (id: string): ListingAction => ({ kind: 'changed', changes: [{ kind: 'deleted', id }] });
const page = (after: string | null, all: Image[], next: string | null = null) => ({
  after,
  page: { images: all, next },
});
const refreshed = (all: Image[], next: string | null = null): ListingAction => ({
  kind: 'refreshed',
  answers: [page(null, all, next)],
  at: 1,
});
const loaded = (after: string, all: Image[], next: string | null = null): ListingAction => ({
  kind: 'loaded',
  answer: page(after, all, next),
});
const shown = (first: number, last: number): ListingAction => ({ kind: 'shown', first, last });
const play = (filter: Filter, ...actions: ListingAction[]): Listing =>
  actions.reduce(reduceListing, emptyListing(filter));
const seen = (listing: Listing) =>
  Array.from({ length: listing.count }, (_, index) => {
    const slot = slotAt(listing, index);
    return slot.kind === 'image' ? `${slot.image.id} ${slot.image.state}` : slot.kind;
  });

test('a new image comes first, a known one stays where it is', () => {
  const listing = play(noFilter, refreshed(images('b', 'a')), heard(image('c'), image('a', 'processing')));
  assert.deepEqual(seen(listing), ['c queued', 'b queued', 'a processing']);
});

test('what is heard while a page is on its way outlives the older page', () => {
  const later = '2026-01-01T00:00:01.000Z';
  const listing = play(
    noFilter,
    { kind: 'requested' },
    heard(image('c'), image('b', 'succeeded', later)),
    deleted('a'),
    refreshed(images('b', 'a')),
  );
  assert.deepEqual(seen(listing), ['c queued', 'b succeeded']);
});

test('what was heard before a page was asked for does not outlive it', () => {
  const listing = play(noFilter, refreshed([]), heard(image('a')), { kind: 'requested' }, refreshed([]));
  assert.deepEqual(seen(listing), []);
});

test('an older word on an image changes nothing, a new run does', () => {
  const final = image('a', 'succeeded');
  const late = play(noFilter, refreshed([final]), heard(image('a', 'processing')));
  assert.deepEqual(seen(late), ['a succeeded']);
  const again = play(noFilter, refreshed([final]), heard({ ...image('a'), generation: 2 }));
  assert.deepEqual(seen(again), ['a queued']);
});

test('an image leaves when it no longer matches the filter', () => {
  const queued: Filter = { ...noFilter, state: 'queued' };
  const listing = play(
    queued,
    refreshed(images('b', 'a')),
    heard(image('a', 'processing'), image('c', 'dead')),
  );
  assert.deepEqual(seen(listing), ['b queued']);
});

test('a name in another case matches, an image from another time does not', () => {
  const filter: Filter = { ...noFilter, text: 'C.JP', until: '2026-01-02T00:00:00Z' };
  const late = { ...image('cc'), filename: 'abc.jpg', createdAt: '2026-01-02T00:00:00.000Z' };
  const listing = play(filter, refreshed([]), heard(image('c'), image('d'), late));
  assert.deepEqual(seen(listing), ['c queued']);
});

test('an image older than the loaded pages waits for its page', () => {
  const paged = play(noFilter, refreshed(images('c', 'b'), 'cursor'), heard(image('a')));
  assert.deepEqual(seen(paged), ['c queued', 'b queued']);
  assert.deepEqual(missing(paged, 0, 1, 1), { after: 'cursor', limit: undefined });
  const grown = reduceListing(paged, loaded('cursor', images('a')));
  assert.deepEqual(seen(grown), ['c queued', 'b queued', 'a queued']);
  assert.equal(missing(grown, 0, 2, 1), undefined);
});

test('while somebody has scrolled down nothing moves; back at the top everything is right', () => {
  const held = play(
    noFilter,
    refreshed(images('d', 'c', 'b')),
    shown(1, 2),
    heard(image('e'), image('f'), image('c', 'succeeded')),
    deleted('b'),
    deleted('f'),
  );
  assert.deepEqual(seen(held), ['d queued', 'c succeeded', 'gone']);
  assert.deepEqual([...held.fresh], ['e']);
  assert.equal(reduceListing(held, shown(0, 1)).held, true);
  const anew = reduceListing(held, refreshed(images('e', 'd', 'c')));
  assert.deepEqual([anew.held, anew.fresh.size, anew.gone.size], [false, 0, 0]);
});

test('a check in place finds what is new and what is gone, within what the answer covers', () => {
  const held = play(noFilter, refreshed(images('d', 'c', 'b', 'a'), 'cursor'), shown(1, 2));
  const checked = reduceListing(held, {
    kind: 'checked',
    answers: [page(null, [image('e'), image('d', 'dead'), image('b')], 'elsewhere')],
    at: 2,
  });
  assert.deepEqual(seen(checked), ['d dead', 'gone', 'b queued', 'a queued']);
  assert.deepEqual([...checked.fresh], ['e']);
});

test('pages far away are let go of and come back in their place, with a gap where one was deleted', () => {
  const ids = Array.from({ length: 16 }, (_, n) => String.fromCharCode(112 - n));
  const pages = ids.map((id, n) =>
    n === 0 ? refreshed(images(id), '1') : loaded(`${n}`, images(id), n < 15 ? `${n + 1}` : null),
  );
  const all = play(noFilter, ...pages);
  const bottom = reduceListing(all, shown(15, 15));
  assert.equal(bottom.chunks.filter((chunk) => chunk.images).length, 4);
  assert.equal(bottom.count, 16);
  assert.equal(seen(bottom)[5], 'loading');
  assert.equal(indexOf(bottom, ids[5] ?? ''), -1);
  // A change of what is not in memory is not lost: the page is loaded anew before it is seen.
  const changed = reduceListing(bottom, heard(image(ids[5] ?? '', 'dead')));
  assert.equal(changed.fresh.size, 0);
  assert.deepEqual(missing(changed, 5, 6, 1), { after: '5', limit: 1 });
  const back = reduceListing(changed, loaded('5', images(ids[6] ?? ''), '6'));
  assert.equal(seen(back)[5], 'gone');
  assert.equal(back.count, 16);
});

test('the images beside one, over a gap', () => {
  const held = play(noFilter, refreshed(images('d', 'c', 'b', 'a')), shown(1, 2), deleted('b'));
  const beside = neighbours(held, 'c');
  assert.deepEqual([beside.newer?.id, beside.older?.id], ['d', 'a']);
  assert.deepEqual(neighbours(held, 'a').older, null);
  assert.deepEqual(neighbours(held, 'x'), { newer: null, older: null });
});

test('a failed request leaves a loaded list as it is', () => {
  const listing = play(noFilter, refreshed(images('a')), { kind: 'failed', reason: 'gone' });
  assert.equal(listing.phase, 'ready');
  assert.equal(listing.fault, 'gone');
  assert.equal(play(noFilter, { kind: 'failed', reason: 'gone' }).phase, 'failed');
});

test('a list that was left waits for no answer, and one that is held at its top grows no longer', () => {
  const left = play(noFilter, refreshed(images('b')), { kind: 'requested' }, { kind: 'left' }, deleted('b'));
  assert.equal(left.heard, null);
  assert.deepEqual(seen(left), []);
  const held = play(noFilter, refreshed(images('b')), { kind: 'held' }, heard(image('c')));
  assert.deepEqual(seen(held), ['b queued']);
  assert.deepEqual([...held.fresh], ['c']);
});

test('the beginning of a list that was scrolled down is a list that goes on below', () => {
  const all = play(noFilter, refreshed(images('d', 'c'), '1'), loaded('1', images('b'), '2'), shown(1, 2));
  const top = topOf(reduceListing(all, deleted('d')));
  assert.deepEqual(top && seen(top), ['c queued']);
  assert.deepEqual([top?.next, top?.held, top?.gone.size], ['1', false, 0]);
  assert.equal(topOf(emptyListing(noFilter)), undefined);
  assert.equal(topOf(play(noFilter, refreshed([]))), undefined);
});
