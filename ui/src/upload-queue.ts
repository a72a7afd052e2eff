import type { transfer } from './transfer.ts';

export interface Upload {
  readonly key: string;
  readonly name: string;
  readonly bytes: number;
  /** `checking`: sent, and not yet answered. */
  readonly phase: 'waiting' | 'sending' | 'checking' | 'accepted' | 'refused' | 'unsent';
  /** How much is sent, 0 to 1. */
  readonly share: number;
  readonly reason: string | null;
}
export interface UploadQueue {
  add(files: Iterable<File>): void;
  retry(key: string): void;
  /** Takes an upload off the list; one that is under way is broken off. */
  dismiss(key: string): void;
  /** Takes everything that has ended off the list. */
  clear(): void;
  /** Whether something would be lost if the page were left. */
  isBusy(): boolean;
  uploads(): readonly Upload[];
  subscribe(listener: () => void): () => void;
}
interface Entry {
  readonly file: File;
  readonly abort: AbortController;
}

/** Few at a time: browsers open six connections to one server, and the events and pictures need some. */
const concurrent = 3;
/** How long an accepted upload stays listed; its image is in the list below by then. */
const acceptedMs = 4_000;

// crypto.randomUUID is missing where the page is served over plain HTTP from another machine.
const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

export const isUnderWay = ({ phase }: Upload): boolean =>
  phase === 'waiting' || phase === 'sending' || phase === 'checking';

/** Uploads one after the other, a few at once. `onAccepted` hears the IDs of the images. */
export const createUploadQueue = (
  send: typeof transfer,
  onAccepted: (ids: readonly string[]) => void,
): UploadQueue => {
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  let uploads: readonly Upload[] = [];

  const become = (next: readonly Upload[]) => {
    uploads = next;
    for (const listener of listeners) listener();
  };
  const update = (key: string, change: Partial<Upload>) =>
    become(uploads.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)));
  const drop = (keys: ReadonlySet<string>) => {
    for (const key of keys) {
      entries.get(key)?.abort.abort();
      entries.delete(key);
    }
    become(uploads.filter(({ key }) => !keys.has(key)));
  };

  const start = async ({ key }: Upload) => {
    const entry = entries.get(key);
    if (!entry) return;
    update(key, { phase: 'sending', share: 0, reason: null });
    const onProgress = (share: number) => update(key, { phase: share < 1 ? 'sending' : 'checking', share });
    const outcome = await send(entry.file, key, onProgress, entry.abort.signal);
    if (outcome.kind === 'accepted') {
      update(key, { phase: 'accepted', share: 1 });
      onAccepted(outcome.ids);
      setTimeout(() => drop(new Set([key])), acceptedMs);
    } else if (outcome.kind !== 'cancelled') {
      update(key, { phase: outcome.kind, reason: outcome.reason });
    }
    pump();
  };
  const pump = () => {
    const busy = uploads.filter(({ phase }) => phase === 'sending' || phase === 'checking').length;
    const waiting = uploads.filter(({ phase }) => phase === 'waiting');
    for (const upload of waiting.slice(0, Math.max(0, concurrent - busy))) void start(upload);
  };

  return {
    add: (files) => {
      const added: Upload[] = [];
      for (const file of files) {
        const key = newKey();
        entries.set(key, { file, abort: new AbortController() });
        added.push({ key, name: file.name, bytes: file.size, phase: 'waiting', share: 0, reason: null });
      }
      become([...uploads, ...added]);
      pump();
    },
    retry: (key) => {
      update(key, { phase: 'waiting', share: 0, reason: null });
      pump();
    },
    dismiss: (key) => {
      drop(new Set([key]));
      pump();
    },
    clear: () => drop(new Set(uploads.filter((upload) => !isUnderWay(upload)).map(({ key }) => key))),
    isBusy: () => uploads.some(isUnderWay),
    uploads: () => uploads,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
