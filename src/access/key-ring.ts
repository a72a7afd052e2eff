import { timingSafeEqual } from 'node:crypto';
import type { Logger } from '../observability/log.ts';
import { type Repeating, repeating } from '../pipeline/repeating.ts';
import { type ApiKey, digestOf, idOf, isExpired } from './api-key.ts';
import { parseKeys, readKeyText } from './key-file.ts';

/** Why a key is none; for the log, as who sent it is told no difference. */
export type Refusal = 'malformed' | 'unknown' | 'wrong-secret' | 'expired';
export type Verification =
  | { readonly kind: 'known'; readonly key: ApiKey }
  /** `id`: the key's that it says it is. */
  | { readonly kind: 'refused'; readonly why: Refusal; readonly id?: string };

/** The keys that are valid now. */
export interface KeyRing {
  /** How many there are, expired ones included. */
  count(): number;
  /** Whether the file could be used when it was last looked at; if not, the keys are those of before. */
  usable(): boolean;
  verify(text: string): Verification;
  /** What became of a key that was verified before: as it is now, undefined if it is refused by now. */
  current(key: ApiKey): ApiKey | undefined;
  stop(): Promise<void>;
}

/** What an unknown ID is compared with: the same work as for a known one. */
const nobody = Buffer.alloc(32);

/** A revoked key works no longer than this, and what reading the file takes. */
const lookMs = 1000;

const byId = (keys: readonly ApiKey[]): ReadonlyMap<string, ApiKey> =>
  new Map(keys.map((key) => [key.id, key]));

/**
 * The keys of a file, followed: it is read again every second, since a file that is replaced behind a symbolic link, as
 * Kubernetes does with Secrets, tells no watcher. A file that becomes unusable changes nothing, and is logged. Throws
 * KeyFileError if it is unusable to begin with.
 */
export const openKeyRing = async (file: string, log: Logger, intervalMs = lookMs): Promise<KeyRing> => {
  let text = await readKeyText(file);
  let keys = byId(parseKeys(file, text));

  let usable = true;
  const look = async (): Promise<false> => {
    try {
      const now = await readKeyText(file);
      if (now !== text) {
        keys = byId(parseKeys(file, now));
        text = now;
        log.info({ keys: keys.size }, 'API keys read again');
      }
      usable = true;
    } catch (error) {
      usable = false;
      throw error;
    }
    return false;
  };
  const looking: Repeating = repeating('reading the API keys', intervalMs, log, look);

  return {
    count: () => keys.size,
    usable: () => usable,
    verify(given) {
      const id = idOf(given);
      const key = id === undefined ? undefined : keys.get(id);
      const stored = key === undefined ? nobody : Buffer.from(key.sha256, 'hex');
      const equal = timingSafeEqual(digestOf(given), stored);
      if (id === undefined) return { kind: 'refused', why: 'malformed' };
      if (key === undefined) return { kind: 'refused', why: 'unknown', id };
      if (!equal) return { kind: 'refused', why: 'wrong-secret', id };
      return isExpired(key) ? { kind: 'refused', why: 'expired', id } : { kind: 'known', key };
    },
    current({ id, sha256 }) {
      const now = keys.get(id);
      return now === undefined || now.sha256 !== sha256 || isExpired(now) ? undefined : now;
    },
    stop: looking.stop,
  };
};
