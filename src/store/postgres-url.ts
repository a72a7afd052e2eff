import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { StoreError } from './store.ts';

export interface PostgresAddress {
  /** `postgres://user:password@host:port/database?sslmode=...`, as libpq takes it. */
  readonly url: string;
  /** Instead of those in the URL. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** The address as it is now, asked before each connection, as credentials may have changed; unset: as it is here. */
  readonly current?: () => Omit<PostgresAddress, 'current'>;
  /** Certificates in PEM that the server's is checked against; without `sslmode` they mean `verify-full`. */
  readonly ca?: string | undefined;
}

const tlsParameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'ssl', 'uselibpqcompat'];

/** libpq's meaning of `sslmode` (its documentation, section SSL Support); `pg` gives some of them others. */
const tls = (parameters: URLSearchParams, given: string | undefined): ClientConfig['ssl'] => {
  const file = (name: string): string | undefined => {
    const path = parameters.get(name);
    return path === null || path === 'system' ? undefined : readFileSync(path, 'utf8');
  };
  const ca = given ?? file('sslrootcert');
  const mode = parameters.get('sslmode') ?? (ca === undefined ? 'disable' : 'verify-full');
  const [cert, key] = [file('sslcert'), file('sslkey')];
  const own = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
      if (ca === undefined) return { ...own, rejectUnauthorized: false };
      return { ...own, checkServerIdentity: () => undefined };
    case 'verify-ca':
      return { ...own, checkServerIdentity: () => undefined };
    case 'verify-full':
      return own;
    default:
      throw new StoreError(
        'failed',
        `the database URL's sslmode is none of disable, require, verify-ca, verify-full`,
      );
  }
};

/** What `pg` is told of the server. Throws StoreError `failed` if the URL is none; it is not repeated in the message. */
export const addressOf = (address: PostgresAddress): ClientConfig => {
  const { url, username, password, ca } = address.current?.() ?? address;
  if (!URL.canParse(url)) throw new StoreError('failed', 'the database URL is no URL');
  const parsed = new URL(url);
  const parameters = parsed.searchParams;
  const ssl = tls(parameters, ca);
  for (const name of tlsParameters) parameters.delete(name);
  if (username !== undefined) parameters.set('user', username);
  if (password !== undefined) parameters.set('password', password);
  // Compiling a query pays off after a second of work, which none of ours is.
  parameters.set('options', `-c jit=off ${parameters.get('options') ?? ''}`.trim());
  return { connectionString: parsed.href, ssl };
};
