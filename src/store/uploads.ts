/**
 * `open`: bytes may come, or all have and the image is not made yet; `finished`: there is an image; `refused`: the
 * file is none that is taken; `gone`: expired, or given up by its client.
 */
export type UploadState = 'open' | 'finished' | 'refused' | 'gone';

/** Why a whole upload was not taken; `code` as of a file in one piece. */
export interface UploadRefusal {
  readonly code: string;
  readonly detail: string;
}
/** A file that comes in parts. Times are ISO 8601. */
export interface NewUpload {
  readonly id: string;
  readonly filename: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly expiresAt: string;
}
export interface StoredUpload extends NewUpload {
  readonly state: UploadState;
  /** How much of it is durable: where the next part begins. */
  readonly received: number;
  /** Keys of the parts, in their order; none once they were removed. */
  readonly parts: readonly string[];
  /** Null unless the making of the image has begun; there is one once the upload is `finished`. */
  readonly imageId: string | null;
  readonly refusal: UploadRefusal | null;
}
export type UploadEnd = { readonly state: 'gone' } | ({ readonly state: 'refused' } & UploadRefusal);

/** The store's side of uploads in parts; `Store.accept` is what finishes one. Promises and faults as of the store. */
export interface Uploads {
  /** A UUID that was made with the store and stays: tells its parts from those of others in the same storage. */
  installation(): Promise<string>;
  createUpload(upload: NewUpload): Promise<void>;
  upload(id: string): Promise<StoredUpload | undefined>;
  /** Notes a durable part that begins at `at`. False, and nothing noted, unless the upload is open and stands there. */
  appendPart(
    id: string,
    at: number,
    part: { readonly blob: string; readonly bytes: number },
    expiresAt: string,
  ): Promise<boolean>;
  /**
   * The ID of the image that a complete upload becomes: the one it was given first, else `imageId`. So whoever makes
   * the image, and however often, it is the same one. Undefined unless the upload is open and complete.
   */
  claimUpload(id: string, imageId: string): Promise<string | undefined>;
  /** Ends an open upload without an image. False if it is not open. */
  endUpload(id: string, end: UploadEnd): Promise<boolean>;
  /** Forgets the parts of an ended upload, whose blobs are removed. */
  partsRemoved(id: string): Promise<void>;
  /** IDs of open uploads that have all their bytes and saw no change since; oldest first. */
  completeUploads(unchangedSince: string, limit: number): Promise<string[]>;
  /** Open uploads that lack bytes and whose time was over before `before` become `gone`. Returns how many. */
  expireUploads(before: string, limit: number): Promise<number>;
  /** IDs of ended uploads whose parts were not removed yet. */
  endedUploads(limit: number): Promise<string[]>;
  /** Forgets ended uploads without parts whose time was over before `before`. Returns how many. */
  forgetUploads(before: string, limit: number): Promise<number>;
  /** How many there are that have not ended. */
  openUploads(): Promise<number>;
  /** Which of these image IDs are of open uploads, whose images are being made. Reads every row. */
  claimedImages(imageIds: readonly string[]): Promise<Set<string>>;
  /** Which of these keys are parts of an open upload. */
  livingParts(keys: readonly string[]): Promise<Set<string>>;
}
