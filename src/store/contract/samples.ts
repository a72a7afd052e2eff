import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { v7 } from 'uuid';
import type { Result } from '../../pipeline/image.ts';
import type { Outcome, ProcessingHint } from '../../pipeline/message.ts';
import type { JobKey, NewImage, Outstanding, Store, Submission } from '../store.ts';

export type Open = () => Promise<Store>;

/** What a store without unfinished images answers. */
export const nothingOutstanding: Outstanding = {
  ...{ images: 0, oldestCreatedAt: null, dead: 0 },
  ...{ outbox: 0, oldestOutboxAt: null },
};

/** A case with a store of its own. */
export const withStore = (open: Open, name: string, body: (store: Store) => Promise<void>): void => {
  test(name, async () => {
    const store = await open();
    try {
      await body(store);
    } finally {
      await store.close();
    }
  });
};

export const minute = 60_000;
export const future = (): string => new Date(Date.now() + minute).toISOString();

const start = Date.UTC(2026, 10, 23);
/** An ID made so many milliseconds after a fixed day began, and that time. */
export const idAt = (ms: number, n = 0): string => {
  const hex = (start + ms).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
};
export const at = (ms: number): string => new Date(start + ms).toISOString();

/** Resolves once the clock has moved on. */
export const tick = async (): Promise<void> => {
  for (const now = Date.now(); Date.now() === now; ) await setImmediate();
};

export const newImage = (given: Partial<NewImage> = {}): NewImage => {
  const id = given.id ?? v7();
  return {
    id,
    filename: 'cat.jpeg',
    contentType: 'image/jpeg',
    bytes: 4_000_000_000,
    sha256: 'ab'.repeat(32),
    pipeline: 'pets',
    blob: `2026/11/23/${id}.jpg`,
    ...given,
  };
};

/** Accepts one image in an upload of its own; its outbox row is due at once unless a lease is given. */
export const accepted = async (store: Store, given: Partial<NewImage> = {}, leaseMs = 0): Promise<JobKey> => {
  const image = newImage(given);
  await store.accept([{ images: [image] }], leaseMs);
  return { id: image.id, generation: 1 };
};

export const keyed = (key: string, fingerprint: string, response = fingerprint): Submission => ({
  images: [newImage()],
  idempotency: { key, fingerprint, response },
});

export const processing = (job: JobKey, attempt = 1): ProcessingHint => ({
  version: 1,
  ...job,
  attempt,
  kind: 'processing',
});

export const result = (label: string, digest = 'sha256:1'): Result => ({
  label,
  confidence: 0.875,
  scores: { [label]: 0.875, other: 0.125 },
  top: [{ label: 'Egyptian cat', score: 0.5 }],
  model: { name: 'pets', version: '1.0.0', digest },
  timings: { waitMs: 1.5, fetchMs: 2, decodeMs: 3, inferMs: 4 },
  attempts: 1,
});

export const webp = (content: string): string => Buffer.from(`RIFF\0${content}`).toString('base64');

export const succeeded = (job: JobKey, label = 'cat', attempt = 1, digest?: string): Outcome => ({
  version: 1,
  ...job,
  attempt,
  kind: 'succeeded',
  result: result(label, digest),
  picture: { width: 640, height: 480, thumbnail: webp(label) },
});

export const failed = (job: JobKey, attempt = 1): Outcome => ({
  version: 1,
  ...job,
  attempt,
  kind: 'failed',
  error: { code: 'undecodable', message: 'the picture is broken' },
  picture: null,
});

export const dead = (job: JobKey, attempt = 5): Outcome => ({
  version: 1,
  ...job,
  attempt,
  kind: 'dead',
  error: { code: 'deadline-exceeded', message: 'took too long' },
});
