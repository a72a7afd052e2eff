import type { Sql } from './differences.ts';
import { millis } from './rows.ts';
import { accept } from './sql-accept.ts';
import { events, expire, lastEvent } from './sql-events.ts';
import { blobOf, image, outstanding, ping, thumbnail } from './sql-images.ts';
import { remove, reprocess } from './sql-lifecycle.ts';
import { images } from './sql-list.ts';
import { claimOutbox, published, requeue } from './sql-outbox.ts';
import { record, started } from './sql-record.ts';
import type { Store } from './store.ts';

/** The store over an SQL database whose schema is up to date. */
export const sqlStore = (sql: Sql, close: () => Promise<void>): Store => ({
  accept: (submissions, leaseMs) => accept(sql, submissions, leaseMs),
  published: (jobs) => published(sql, jobs),
  claimOutbox: (limit, leaseMs) => claimOutbox(sql, limit, leaseMs),
  started: (hints) => started(sql, hints),
  record: (outcomes) => record(sql, outcomes),
  requeue: (unchangedSince, limit) => requeue(sql, millis(unchangedSince), limit),
  reprocess: (id, leaseMs) => reprocess(sql, id, leaseMs),
  remove: (id) => remove(sql, id),
  image: (id) => image(sql, id),
  blobOf: (id) => blobOf(sql, id),
  thumbnail: (id) => thumbnail(sql, id),
  images: (query) => images(sql, query),
  events: (after, limit, imageId) => events(sql, after, limit, imageId),
  lastEvent: () => lastEvent(sql),
  outstanding: () => outstanding(sql),
  expire: (before, limit) => expire(sql, millis(before), limit),
  ping: () => ping(sql),
  close,
});
