import { createHash, randomBytes, randomInt } from 'node:crypto';

/** What a key may do: `read` every GET, `upload` POST /upload, `admin` all of it and every change besides. */
export const scopes = ['upload', 'read', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** A key as its file keeps it: enough to know the key again, not enough to be it. */
export interface ApiKey {
  /** The middle part of the key; no secret, so it may stand in logs. */
  readonly id: string;
  /** Unique among the keys of a file, for people. */
  readonly name: string;
  /** Of the whole key, in hex. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  /** From then on it is refused. Null: never. */
  readonly expiresAt: string | null;
  /** Most requests in a time, such as `100/m`. Null: no limit. */
  readonly rate: string | null;
}

const shape = /^gantry_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/;
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Digest of a whole key. A slow, salted hash protects what people choose; nobody guesses 256 random bits, however
 * fast a guess is, and every single request pays for this one.
 */
export const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** A new key, `gantry_<id>_<secret>`: a random ID of 12 letters and digits, and 256 random bits as base64url. */
export const createKey = (): { readonly id: string; readonly key: string; readonly sha256: string } => {
  const id = Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join('');
  const key = `gantry_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, key, sha256: digestOf(key).toString('hex') };
};

/** The ID of what has the shape of a key, undefined for anything else. */
export const idOf = (text: string): string | undefined => shape.exec(text)?.[1];

/** Whether it may do what needs `scope`. */
export const allows = ({ scopes }: Pick<ApiKey, 'scopes'>, scope: Scope): boolean =>
  scopes.includes(scope) || scopes.includes('admin');

export const isExpired = ({ expiresAt }: Pick<ApiKey, 'expiresAt'>, now = Date.now()): boolean =>
  expiresAt !== null && Date.parse(expiresAt) <= now;
