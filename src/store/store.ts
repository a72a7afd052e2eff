import type { Image, ImageState } from '../pipeline/image.ts';
import type { Job, Outcome, ProcessingHint } from '../pipeline/message.ts';
import type { Uploads } from './uploads.ts';

/** An image that is about to be accepted; its blob is durable already. The time in its UUIDv7 becomes `createdAt`. */
export interface NewImage
  extends Pick<Image, 'id' | 'filename' | 'contentType' | 'bytes' | 'sha256' | 'pipeline'> {
  readonly blob: string;
}
/** One upload. `response` is what a repeated request with the same idempotency key is answered with. */
export interface Submission {
  readonly images: readonly NewImage[];
  /** W3C Trace Context of the request, for the jobs. */
  readonly traceparent?: string;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string; readonly response: string };
  /** The upload in parts that the image is made of, which is finished with it. */
  readonly upload?: string;
}
/**
 * `repeated`: the key was used by the same upload before; `conflict`: by another one; `ended`: the upload in parts is
 * finished already, or was given up. None of them stores anything.
 */
export type Acceptance =
  | { kind: 'accepted' }
  | { kind: 'repeated'; response: string }
  | { kind: 'conflict' }
  | { kind: 'ended' };
/** `repeated`: it was final already; `stale`: of an older generation, kept as history; `unknown`: no such image. */
export type Recorded = 'recorded' | 'repeated' | 'stale' | 'unknown';
export type JobKey = Pick<Job, 'id' | 'generation'>;

export interface ImageQuery {
  readonly state?: ImageState;
  readonly label?: string;
  /** Of the original, hex. */
  readonly sha256?: string;
  /** Part of the file name, any case. */
  readonly text?: string;
  /** ISO 8601, of `createdAt`; from inclusive, until exclusive. */
  readonly from?: string;
  readonly until?: string;
  /** `next` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}
export interface ImagePage {
  readonly images: Image[];
  readonly next: string | null;
}
/** One change of one image; `seq` grows by time. `image` is the image as it was then, null once deleted. */
export interface ImageEvent {
  readonly seq: number;
  readonly type: ImageState | 'deleted';
  /** When it happened, ISO 8601. */
  readonly at: string;
  readonly imageId: string;
  readonly image: Image | null;
  /** W3C Trace Context of what led to it. */
  readonly traceparent?: string;
}
export interface Outstanding {
  /** Images neither succeeded, failed nor dead. */
  readonly images: number;
  readonly oldestCreatedAt: string | null;
  /** Images whose every attempt failed. */
  readonly dead: number;
  /** Rows of the outbox: jobs not yet confirmed by the broker. */
  readonly outbox: number;
  /** When the oldest of them was added. */
  readonly oldestOutboxAt: string | null;
}
/** Images accepted, and images that became succeeded, failed or dead, in the second that begins at `at` (ISO). */
export interface Flow {
  readonly at: string;
  readonly accepted: number;
  readonly finished: number;
}
export interface Summary {
  readonly states: Readonly<Record<ImageState, number>>;
  /** Labels that some image has. */
  readonly labels: Readonly<Record<string, number>>;
  readonly oldestUnfinishedAt: string | null;
  /** Seconds in which something happened, oldest first. */
  readonly flow: readonly Flow[];
}

/** With the W3C Trace Context of its message, for the event that it becomes. */
export type TracedOutcome = Outcome & { readonly traceparent?: string };

/** How many images there are in each state, and what hangs in the air. */
export interface Ledger {
  readonly states: Readonly<Record<ImageState, number>>;
  readonly outbox: number;
  /** Outbox rows of images that are final or of another generation; 0 unless something is broken. */
  readonly strayOutbox: number;
  /** Results and thumbnails whose image does not exist; 0 unless something is broken. */
  readonly strayResults: number;
  /** States and labels of which `summary` tells a wrong number; see `recount`. */
  readonly miscounted: number;
}
/** Where an image's original should lie; `blob` is null once it was removed on purpose. */
export interface StoredOriginal {
  readonly id: string;
  readonly state: ImageState;
  readonly blob: string | null;
}

/** The ledger. Each call is one transaction, durable when it resolves; throws {@link StoreError}. Lists answer in their order. */
export interface Store extends Uploads {
  /** Image rows, outbox rows and `queued` events. Outbox rows are held back `leaseMs` for the submitter to publish itself. */
  accept(submissions: readonly Submission[], leaseMs: number): Promise<Acceptance[]>;
  /** Drops outbox rows whose jobs the broker has confirmed. */
  published(jobs: readonly JobKey[]): Promise<void>;
  /** Overdue outbox rows, oldest first, as jobs; they are held back `leaseMs` for the caller. */
  claimOutbox(limit: number, leaseMs: number): Promise<Job[]>;
  /** Queued images become `processing`, and a later attempt is counted; ended images are left alone. */
  started(hints: readonly ProcessingHint[]): Promise<void>;
  record(outcomes: readonly TracedOutcome[]): Promise<Recorded[]>;
  /**
   * Puts unfinished images that saw no change since `unchangedSince` (ISO) and are not in the outbox into the
   * outbox again, oldest first, at most `limit`. Returns how many. Being put there counts as a change, so that
   * repeating the call comes to an end; `updatedAt` stays. The jobs carry the trace of the image's newest event.
   */
  requeue(unchangedSince: string, limit: number): Promise<number>;
  /**
   * A new generation of a final image, queued; the outbox row is held back. `unfinished` if the image is in flight,
   * `no-original` if its original was removed by retention. The job carries the trace that made the image final;
   * `traceparent` is what leads to the new generation, for its first event.
   */
  reprocess(
    id: string,
    leaseMs: number,
    traceparent?: string,
  ): Promise<Job | 'not-found' | 'unfinished' | 'no-original'>;
  /**
   * As `reprocess` for up to `limit` dead images that have their original, oldest first; due at once. Returns how many.
   * With `diedBefore` (ISO) only for those that died before, so that repeating the call comes to an end.
   */
  replayDead(limit: number, traceparent?: string, diedBefore?: string): Promise<number>;
  /** Forgets an image in any state. Returns its blob's key (null if it was removed before), for the caller to remove. */
  remove(id: string): Promise<{ blob: string | null } | 'not-found'>;
  image(id: string): Promise<Image | undefined>;
  /** Where the original lies; null if retention has removed it. */
  blobOf(id: string): Promise<string | null | undefined>;
  thumbnail(id: string): Promise<Uint8Array | undefined>;
  /** Newest first. Throws {@link InvalidCursor}. */
  images(query: ImageQuery): Promise<ImagePage>;
  /** Events after `seq`, oldest first; of one image if `imageId` is given. */
  events(after: number, limit: number, imageId?: string): Promise<ImageEvent[]>;
  /** The newest event's number, 0 if there is none. */
  lastEvent(): Promise<number>;
  outstanding(): Promise<Outstanding>;
  /** What there is, and the flow since `since` (ISO). Costs the same however many images there are. */
  summary(since: string): Promise<Summary>;
  /** Keeps `summary` cheap, called now and then. Forgets the flow of before `before` (ISO). */
  mergeCounts(before: string): Promise<void>;
  /**
   * Puts right what `summary` counts, if it is wrong, and returns whether it was: a Gantry of an older version that
   * writes during a rolling upgrade counts nothing. Reads two indexes whole.
   */
  recount(): Promise<boolean>;
  /** Images in `processing` that saw a change since `since` (ISO): some consumer has them. */
  atWork(since: string): Promise<number>;
  /** Final images accepted before `before` (ISO) that still have their original, oldest first. */
  oldOriginals(before: string, limit: number): Promise<StoredOriginal[]>;
  /** Notes that the originals of these images were removed. Unfinished images are left alone. */
  originalsRemoved(ids: readonly string[]): Promise<void>;
  /** Final images accepted before `before` (ISO), oldest first. */
  oldImages(before: string, limit: number): Promise<StoredOriginal[]>;
  /** Sum of the sizes of all originals that are kept, and of what unfinished uploads have brought, in bytes. Reads every row. */
  storedBytes(): Promise<number>;
  /** For the audit; reads every row. */
  ledger(): Promise<Ledger>;
  /** Every image in the order of IDs, those after `after`; for the audit. */
  originals(after: string | undefined, limit: number): Promise<StoredOriginal[]>;
  /** Which of these images exist. */
  existing(ids: readonly string[]): Promise<Set<string>>;
  /** Calls back when another process may have written events or outbox rows. Only a hint: polling is the truth. */
  onChange(listener: () => void): void;
  /** Drops events and idempotency keys older than `before` (ISO), at most `limit` of each; true if there may be more. */
  expire(before: string, limit: number): Promise<boolean>;
  /** Answers if the store can be written to; throws otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A cursor that no page of ours handed out. */
export class InvalidCursor extends Error {
  readonly code = 'invalid-cursor';
}

/**
 * The store failed; nothing of the call was kept. `unwritable`: the folder or file is missing or not ours to
 * write; `corrupt`: the file is damaged or no database; `newer-schema`: a newer Gantry has written it; `full`: no
 * space left; `busy`: somebody else holds it for too long; `unavailable`: the server cannot be reached, and a write
 * may have been kept all the same; `refused`: it does not let us in; `closed`: after `close`.
 */
export class StoreError extends Error {
  readonly code:
    | 'unwritable'
    | 'corrupt'
    | 'newer-schema'
    | 'full'
    | 'busy'
    | 'unavailable'
    | 'refused'
    | 'closed'
    | 'failed';
  constructor(code: StoreError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
