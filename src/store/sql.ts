import type { Sql } from './differences.ts';
import { millis } from './rows.ts';
import { accept } from './sql-accept.ts';
import { existing, ledger, originals, storedBytes } from './sql-audit.ts';
import { mergeCounts, recount, summary } from './sql-counts.ts';
import { events, expire, lastEvent } from './sql-events.ts';
import { atWork, blobOf, image, outstanding, ping, thumbnail } from './sql-images.ts';
import { remove, replayDead, reprocess } from './sql-lifecycle.ts';
import { images } from './sql-list.ts';
import { claimOutbox, published, requeue } from './sql-outbox.ts';
import { record, started } from './sql-record.ts';
import { oldImages, oldOriginals, originalsRemoved } from './sql-retention.ts';
import {
  appendPart,
  claimedImages,
  claimUpload,
  completeUploads,
  createUpload,
  endedUploads,
  endUpload,
  expireUploads,
  forgetUploads,
  installation,
  livingParts,
  openUploads,
  partsRemoved,
  upload,
} from './sql-uploads.ts';
import type { Store } from './store.ts';

/** The store over an SQL database whose schema is up to date. */
export const sqlStore = (sql: Sql, own: Pick<Store, 'onChange' | 'close'>): Store => ({
  accept: (submissions, leaseMs) => accept(sql, submissions, leaseMs),
  published: (jobs) => published(sql, jobs),
  claimOutbox: (limit, leaseMs) => claimOutbox(sql, limit, leaseMs),
  started: (hints) => started(sql, hints),
  record: (outcomes) => record(sql, outcomes),
  requeue: (unchangedSince, limit) => requeue(sql, millis(unchangedSince), limit),
  reprocess: (id, leaseMs, traceparent) => reprocess(sql, id, leaseMs, traceparent),
  replayDead: (limit, traceparent, diedBefore) =>
    replayDead(sql, limit, traceparent, diedBefore === undefined ? undefined : millis(diedBefore)),
  remove: (id) => remove(sql, id),
  image: (id) => image(sql, id),
  blobOf: (id) => blobOf(sql, id),
  thumbnail: (id) => thumbnail(sql, id),
  images: (query) => images(sql, query),
  events: (after, limit, imageId) => events(sql, after, limit, imageId),
  lastEvent: () => lastEvent(sql),
  outstanding: () => outstanding(sql),
  summary: (since) => summary(sql, millis(since)),
  mergeCounts: (before) => mergeCounts(sql, millis(before)),
  recount: () => recount(sql),
  atWork: (since) => atWork(sql, millis(since)),
  oldOriginals: (before, limit) => oldOriginals(sql, millis(before), limit),
  originalsRemoved: (ids) => originalsRemoved(sql, ids),
  oldImages: (before, limit) => oldImages(sql, millis(before), limit),
  storedBytes: () => storedBytes(sql),
  ledger: () => ledger(sql),
  originals: (after, limit) => originals(sql, after, limit),
  existing: (ids) => existing(sql, ids),
  expire: (before, limit) => expire(sql, millis(before), limit),
  installation: () => installation(sql),
  createUpload: (created) => createUpload(sql, created),
  upload: (id) => upload(sql, id),
  appendPart: (id, at, part, expiresAt) => appendPart(sql, id, at, part, millis(expiresAt)),
  claimUpload: (id, imageId) => claimUpload(sql, id, imageId),
  endUpload: (id, end) => endUpload(sql, id, end),
  partsRemoved: (id) => partsRemoved(sql, id),
  completeUploads: (unchangedSince, limit) => completeUploads(sql, millis(unchangedSince), limit),
  expireUploads: (before, limit) => expireUploads(sql, millis(before), limit),
  endedUploads: (limit) => endedUploads(sql, limit),
  forgetUploads: (before, limit) => forgetUploads(sql, millis(before), limit),
  openUploads: () => openUploads(sql),
  claimedImages: (imageIds) => claimedImages(sql, imageIds),
  livingParts: (keys) => livingParts(sql, keys),
  ping: () => ping(sql),
  ...own,
});
