import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Filter, Image } from './api.ts';
import { emptyListing, type Listing, type ListingAction, reduceListing } from './listing.ts';

const any: Filter = { state: '', label: '' };

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
const heard = (...images: Image[]): ListingAction => ({
  kind: 'changed',
  changes: images.map((one) => ({ kind: 'image', image: one })),
});
const deleted = (id: string): ListingAction => ({ kind: 'changed', changes: [{ kind: 'deleted', id }] });
const refreshed = (images: Image[], next: string | null = null): ListingAction => ({
  kind: 'refreshed',
  page: { images, next },
  at: 1,
});
const play = (filter: Filter, ...actions: ListingAction[]): Listing =>
  actions.reduce(reduceListing, emptyListing(filter, 48));
const shown = (listing: Listing) => listing.images.map(({ id, state }) => `${id} ${state}`);

test('a new image comes first, a known one stays where it is', () => {
  const listing = play(any, refreshed([image('b'), image('a')]), heard(image('c'), image('a', 'processing')));
  assert.deepEqual(shown(listing), ['c queued', 'b queued', 'a processing']);
});

test('what is heard while a page is on its way outlives the older page', () => {
  const later = '2026-01-01T00:00:01.000Z';
  const listing = play(
    any,
    { kind: 'requested' },
    heard(image('c'), image('b', 'succeeded', later)),
    deleted('a'),
    refreshed([image('b'), image('a')]),
  );
  assert.deepEqual(shown(listing), ['c queued', 'b succeeded']);
});

test('what was heard before a page was asked for does not outlive it', () => {
  const listing = play(any, refreshed([]), heard(image('a')), { kind: 'requested' }, refreshed([]));
  assert.deepEqual(shown(listing), []);
});

test('an older word on an image changes nothing, a new run does', () => {
  const final = image('a', 'succeeded');
  const late = play(any, refreshed([final]), heard(image('a', 'processing')));
  assert.deepEqual(shown(late), ['a succeeded']);
  const again = play(any, refreshed([final]), heard({ ...image('a'), generation: 2 }));
  assert.deepEqual(shown(again), ['a queued']);
});

test('an image leaves when it no longer matches the filter', () => {
  const queued: Filter = { state: 'queued', label: '' };
  const listing = play(
    queued,
    refreshed([image('b'), image('a')]),
    heard(image('a', 'processing'), image('c', 'dead')),
  );
  assert.deepEqual(shown(listing), ['b queued']);
});

test('an image older than the loaded pages waits for its page', () => {
  const paged = play(any, refreshed([image('c'), image('b')], 'cursor'), heard(image('a')));
  assert.deepEqual(shown(paged), ['c queued', 'b queued']);
  const grown = reduceListing(paged, { kind: 'more', page: { images: [image('a')], next: null } });
  assert.deepEqual(shown(grown), ['c queued', 'b queued', 'a queued']);
});

test('a failed request leaves a loaded list as it is', () => {
  const listing = play(any, refreshed([image('a')]), { kind: 'failed', reason: 'gone' });
  assert.equal(listing.phase, 'ready');
  assert.equal(listing.fault, 'gone');
  assert.equal(play(any, { kind: 'failed', reason: 'gone' }).phase, 'failed');
});
