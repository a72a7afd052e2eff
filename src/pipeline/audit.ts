import { BlobMissing, type Blobs } from '../blobs/blobs.ts';
import type { Broker } from '../broker/broker.ts';
import { type QueueName, topology } from '../broker/topology.ts';
import type { Ledger, Store, StoredOriginal } from '../store/store.ts';
import { type ImageState, isFinal } from './image.ts';
import { idOfBlob, timeOf } from './image-id.ts';
import { pages, strayParts } from './stray-parts.ts';
import { countTaken } from './taken.ts';

export interface AuditContext {
  readonly store: Store;
  readonly blobs: Blobs;
  /** Undefined where the queue is inside another process. */
  readonly broker: Broker | undefined;
  readonly overdueAfterMs: number;
  /** Told how many originals and images were looked at so far. */
  readonly onProgress: (done: number) => void;
}

export interface Audit {
  /** Images that were accepted and not deleted since. */
  readonly accepted: number;
  readonly states: Readonly<Record<ImageState, number>>;
  readonly outbox: number;
  /** Waiting messages of each queue; null if they cannot be seen from here. */
  readonly queues: Readonly<Record<QueueName, number>> | null;
  /** Unfinished images that are neither in the outbox, nor in a queue, nor with a consumer. */
  readonly unaccounted: number;
  /** Messages beyond the unfinished images: repeats, or of images that were deleted. Harmless. */
  readonly surplusMessages: number;
  /** Images whose original is gone though nobody removed it. */
  readonly missingOriginals: readonly StoredOriginal[];
  /** Keys of originals that belong to no image: uploads that were never answered. */
  readonly orphanedOriginals: readonly string[];
  /** Keys of parts that belong to no unfinished upload: a process was killed, or a database lost. */
  readonly orphanedParts: readonly string[];
  /** Rows whose image does not exist or is over; only a broken database has them. */
  readonly strayRows: number;
  /** Numbers of the summary that are wrong; no loss. */
  readonly miscounted: number;
  /** Whether anything that was accepted is lost or hangs in the air. */
  readonly ok: boolean;
}

const page = 500;
/** An original without an image, or a part of no upload, may belong to a request that is still under way (ms). */
const underWayMs = 3_600_000;

async function* everyOriginal(store: Store): AsyncGenerator<StoredOriginal> {
  for (let after: string | undefined; ; ) {
    const rows = await store.originals(after, page);
    yield* rows;
    after = rows.at(-1)?.id;
    if (rows.length < page) return;
  }
}

const isGone = async ({ store, blobs }: AuditContext, { id, blob }: StoredOriginal): Promise<boolean> => {
  // It may have been deleted while we were looking elsewhere.
  if (blob === null || (await store.blobOf(id)) !== blob) return false;
  try {
    (await blobs.open(blob)).stream.destroy();
    return false;
  } catch (error) {
    if (error instanceof BlobMissing) return true;
    throw error;
  }
};

/** Which of these keys of originals have neither an image nor an upload that is becoming one. */
const withoutImage = async (store: Store, keys: ReadonlyMap<string, string>): Promise<string[]> => {
  const existing = await store.existing([...keys.keys()]);
  const old = [...keys.keys()].filter((id) => !existing.has(id) && Date.now() - timeOf(id) > underWayMs);
  if (old.length === 0) return [];
  const claimed = await store.claimedImages(old);
  // An upload may have been finished between the two questions.
  const since = await store.existing(old);
  return old.filter((id) => !claimed.has(id) && !since.has(id)).map((id) => keys.get(id) ?? '');
};

/** Compares originals and images, both ways. Keeps every key in memory: some 100 bytes an original. */
const compareOriginals = async (context: AuditContext) => {
  const { store, blobs, onProgress } = context;
  const keys = new Set<string>();
  const orphaned: string[] = [];
  const parts: string[] = [];
  let done = 0;
  for await (const batch of pages(blobs.list(''))) {
    // What does not look like ours is not ours to judge.
    const originals = new Map<string, string>();
    for (const key of batch) {
      keys.add(key);
      const id = idOfBlob(key);
      if (id !== undefined) originals.set(id, key);
    }
    orphaned.push(...(await withoutImage(store, originals)));
    parts.push(...(await strayParts(store, batch, underWayMs)));
    done += batch.length;
    onProgress(done);
  }
  const missing: StoredOriginal[] = [];
  for await (const batch of pages(everyOriginal(store))) {
    for (const row of batch) {
      if (row.blob !== null && !keys.has(row.blob) && (await isGone(context, row))) missing.push(row);
    }
    done += batch.length;
    onProgress(done);
  }
  return { orphaned, parts, missing };
};

const unfinishedOf = ({ states }: Ledger): number =>
  Object.entries(states).reduce((sum, [state, n]) => sum + (isFinal(state as ImageState) ? 0 : n), 0);

interface Flight {
  readonly ledger: Ledger;
  readonly queues: Readonly<Record<QueueName, number>> | null;
  readonly unaccounted: number;
  readonly surplus: number;
}

const lookAtFlight = async ({ store, broker, overdueAfterMs }: AuditContext): Promise<Flight> => {
  const ledger = await store.ledger();
  if (broker === undefined) return { ledger, queues: null, unaccounted: 0, surplus: 0 };
  const counts = topology.map(async ({ name }) => [name, (await broker.status(name)).messages] as const);
  const queues = Object.fromEntries(await Promise.all(counts)) as Record<QueueName, number>;
  const messages = Object.values(queues).reduce((sum, n) => sum + n, 0);
  const taken = await countTaken(store, new Date(Date.now() - overdueAfterMs).toISOString());
  const unfinished = unfinishedOf(ledger);
  return {
    ledger,
    queues,
    unaccounted: Math.max(0, unfinished - ledger.outbox - messages - taken),
    surplus: Math.max(0, messages - unfinished),
  };
};

/** Looks several times: an image on its way from one place to the next is in neither for a moment. */
const looks = 5;

/**
 * Checks that nothing is lost: accepted = succeeded + failed + dead + in flight, whatever is in flight is somewhere,
 * and every image has its original. Changes nothing. Throws what store, blobs and broker throw.
 */
export const audit = async (context: AuditContext): Promise<Audit> => {
  const { orphaned, parts, missing } = await compareOriginals(context);
  let flight = await lookAtFlight(context);
  for (let look = 1; look < looks && flight.unaccounted > 0; look++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const next = await lookAtFlight(context);
    if (next.unaccounted <= flight.unaccounted) flight = next;
  }
  const { ledger, queues, unaccounted, surplus } = flight;
  const strayRows = ledger.strayOutbox + ledger.strayResults;
  return {
    accepted: Object.values(ledger.states).reduce((sum, n) => sum + n, 0),
    states: ledger.states,
    outbox: ledger.outbox,
    queues,
    unaccounted,
    surplusMessages: surplus,
    missingOriginals: missing,
    orphanedOriginals: orphaned,
    orphanedParts: parts,
    strayRows,
    miscounted: ledger.miscounted,
    ok: unaccounted === 0 && missing.length === 0 && strayRows === 0,
  };
};

export interface Repair {
  readonly requeued: number;
  /** Whether numbers of the summary were put right. */
  readonly recounted: boolean;
  readonly orphansRemoved: number;
  readonly partsRemoved: number;
  /** Ended images noted as being without their original from now on. */
  readonly originalsWrittenOff: number;
  /** What was left alone, and why; one line each. */
  readonly left: readonly string[];
}

/** So many of anything wrong are no accident: the wrong folder, or a lost database. */
const tooMany = (found: number, { accepted }: Audit): boolean => found > Math.max(10, accepted / 10);

/** Mends what an audit found and can be mended. What looks like a mistake in the settings is left alone. */
export const repair = async (context: AuditContext, found: Audit): Promise<Repair> => {
  const { store, blobs, overdueAfterMs } = context;
  const left: string[] = [];
  const before = new Date(Date.now() - overdueAfterMs).toISOString();
  const requeued = found.unaccounted > 0 ? await store.requeue(before, found.unaccounted) : 0;
  if (requeued < found.unaccounted) {
    left.push(
      `${found.unaccounted - requeued} images had news too recently to be called overdue; look again later`,
    );
  }

  const { orphanedOriginals: orphans, missingOriginals: missing } = found;
  let orphansRemoved = 0;
  if (tooMany(orphans.length, found)) {
    left.push(
      `${orphans.length} originals without an image are too many to be left-overs: was the database lost? gantry reindex rebuilds it`,
    );
  } else {
    for (const key of orphans) {
      await blobs.remove(key);
      orphansRemoved += 1;
    }
  }
  let partsRemoved = 0;
  if (tooMany(found.orphanedParts.length, found)) {
    left.push(
      `${found.orphanedParts.length} parts without an upload are too many to be left-overs: is this the right database?`,
    );
  } else {
    for (const key of found.orphanedParts) {
      await blobs.remove(key);
      partsRemoved += 1;
    }
  }
  const ended = missing.filter(({ state }) => isFinal(state)).map(({ id }) => id);
  let originalsWrittenOff = 0;
  if (tooMany(ended.length, found)) {
    left.push(
      `${ended.length} missing originals are too many for an accident: is this the right folder or bucket?`,
    );
  } else {
    await store.originalsRemoved(ended);
    originalsWrittenOff = ended.length;
  }
  const recounted = found.miscounted > 0 && (await store.recount());
  return { requeued, recounted, orphansRemoved, partsRemoved, originalsWrittenOff, left };
};
