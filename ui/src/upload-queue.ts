import type { Transfer, TransferOutcome } from './transfer.ts';
import { createMeter, leftMs, type Overall } from './upload-meter.ts';

export interface Upload {
  readonly key: string;
  readonly file: File;
  readonly name: string;
  readonly bytes: number;
  /** `checking`: sent, and not yet answered; `stalled`: goes on by itself once there is a connection. */
  readonly phase: 'waiting' | 'sending' | 'stalled' | 'checking' | 'accepted' | 'refused' | 'unsent';
  /** How much is sent, 0 to 1. */
  readonly share: number;
  readonly reason: string | null;
}
export interface UploadQueue {
  add(files: Iterable<File>): void;
  retry(key: string): void;
  retryAll(): void;
  /** Takes an upload off the list; one that is under way is broken off. */
  dismiss(key: string): void;
  /** Breaks off everything that is under way. */
  cancelAll(): void;
  /** Takes everything that has ended off the list. */
  clear(): void;
  /** Whether something would be lost if the page were left. */
  isBusy(): boolean;
  uploads(): readonly Upload[];
  /** The one that ended last, if it is still listed and was not begun anew. */
  lastEnded(): Upload | undefined;
  /** Of the uploads since the queue was last idle; null while it is. As of the last change of `uploads`. */
  overall(): Overall | null;
  subscribe(listener: () => void): () => void;
}
interface Entry {
  upload: Upload;
  readonly abort: AbortController;
}

/** Few at a time: browsers open six connections to one server, and the events and pictures need some. */
const concurrent = 3;
/** How long an accepted upload stays listed; its image is in the list below by then. */
const acceptedMs = 4_000;
/** Bytes of a thousand files would otherwise draw the page anew for each of them. */
const tellMs = 100;
/** Between tries of a file whose connection broke; then it waits for somebody to say so. */
const againMs = [1_000, 2_000, 4_000, 8_000, 16_000];

// crypto.randomUUID is missing where the page is served over plain HTTP from another machine.
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

const busyPhases: ReadonlySet<Upload['phase']> = new Set(['sending', 'stalled', 'checking']);
export const isUnderWay = ({ phase }: Upload): boolean => phase === 'waiting' || busyPhases.has(phase);

/** Resolves after `ms`, or at once when `signal` is aborted. */
const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Uploads one after the other, a few at once. `onAccepted` hears the IDs of the images. */
export const createUploadQueue = (
  send: Transfer,
  onAccepted: (ids: readonly string[]) => void,
): UploadQueue => {
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  const meter = createMeter();
  /** What of the batch is no longer among the entries. */
  let gone = { files: 0, bytes: 0 };
  let uploads: readonly Upload[] = [];
  let lastEnded = '';
  let overall: Overall | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const measure = (): Overall | null => {
    const underWay = uploads.filter(isUnderWay).length;
    if (underWay === 0) {
      gone = { files: 0, bytes: 0 };
      meter.reset();
      return null;
    }
    const files = gone.files + uploads.length;
    let { bytes, bytes: sent } = gone;
    for (const upload of uploads) {
      bytes += upload.bytes;
      sent += isUnderWay(upload) ? upload.bytes * upload.share : upload.bytes;
    }
    const bytesPerSecond = meter.rate(sent, performance.now());
    return {
      ...{ files, ended: files - underWay, bytes, sent, bytesPerSecond },
      leftMs: leftMs(bytes - sent, bytesPerSecond),
    };
  };
  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    uploads = Array.from(entries.values(), ({ upload }) => upload);
    overall = measure();
    for (const listener of listeners) listener();
  };
  const changed = () => {
    timer ??= setTimeout(tell, tellMs);
  };
  const update = (key: string, change: Partial<Upload>) => {
    const entry = entries.get(key);
    if (!entry) return;
    entry.upload = { ...entry.upload, ...change };
    changed();
  };
  const end = (key: string, change: Partial<Upload>) => {
    lastEnded = key;
    update(key, change);
  };
  const drop = (keys: Iterable<string>) => {
    for (const key of keys) {
      const entry = entries.get(key);
      if (!entry) continue;
      entries.delete(key);
      entry.abort.abort();
      if (isUnderWay(entry.upload)) continue;
      gone = { files: gone.files + 1, bytes: gone.bytes + entry.upload.bytes };
    }
    pump();
    tell();
  };
  const keysOf = (which: (upload: Upload) => boolean) =>
    Array.from(entries.values(), ({ upload }) => upload)
      .filter(which)
      .map(({ key }) => key);

  /** Tries a file again by itself as long as it is only the connection. */
  const sendPatiently = async ({ upload, abort }: Entry): Promise<TransferOutcome> => {
    const { key, file } = upload;
    const progress = {
      sent: (share: number) => update(key, { phase: share < 1 ? 'sending' : 'checking', share }),
      stalled: () => update(key, { phase: 'stalled' }),
    };
    for (const wait of againMs) {
      const outcome = await send(file, key, progress, abort.signal);
      if (outcome.kind !== 'unsent' || !outcome.passing) return outcome;
      update(key, { phase: 'stalled', share: 0 });
      await pause(wait, abort.signal);
      if (abort.signal.aborted) return { kind: 'cancelled' };
    }
    return send(file, key, progress, abort.signal);
  };
  const start = async (entry: Entry) => {
    const { key } = entry.upload;
    update(key, { phase: 'sending', share: 0, reason: null });
    const outcome = await sendPatiently(entry);
    if (outcome.kind === 'accepted') {
      end(key, { phase: 'accepted', share: 1 });
      onAccepted(outcome.ids);
      setTimeout(() => drop([key]), acceptedMs);
    } else if (outcome.kind !== 'cancelled') {
      end(key, { phase: outcome.kind, reason: outcome.reason });
    }
    pump();
  };
  const pump = () => {
    let busy = 0;
    for (const { upload } of entries.values()) if (busyPhases.has(upload.phase)) busy += 1;
    for (const entry of entries.values()) {
      if (busy >= concurrent) return;
      if (entry.upload.phase !== 'waiting') continue;
      busy += 1;
      void start(entry);
    }
  };
  const retry = (keys: Iterable<string>) => {
    for (const key of keys) update(key, { phase: 'waiting', share: 0, reason: null });
    pump();
    tell();
  };

  return {
    add: (files) => {
      for (const file of files) {
        const key = newKey();
        const { name, size: bytes } = file;
        const upload: Upload = { key, file, name, bytes, phase: 'waiting', share: 0, reason: null };
        entries.set(key, { upload, abort: new AbortController() });
      }
      pump();
      tell();
    },
    retry: (key) => retry([key]),
    retryAll: () => retry(keysOf(({ phase }) => phase === 'unsent')),
    dismiss: (key) => drop([key]),
    cancelAll: () => drop(keysOf(isUnderWay)),
    clear: () => drop(keysOf((upload) => !isUnderWay(upload))),
    isBusy: () => keysOf(isUnderWay).length > 0,
    uploads: () => uploads,
    lastEnded: () => uploads.find((upload) => upload.key === lastEnded && !isUnderWay(upload)),
    overall: () => overall,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
