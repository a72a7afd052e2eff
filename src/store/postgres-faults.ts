import { StoreError } from './store.ts';

/** SQLSTATEs, PostgreSQL's documentation, appendix A; a class (two characters) stands for all of its codes. */
const states: Readonly<Record<string, StoreError['code']>> = {
  '08': 'unavailable',
  '25006': 'unavailable', // read_only_sql_transaction: a standby, or a primary that has been demoted
  '25P03': 'unavailable', // idle_in_transaction_session_timeout
  '28': 'refused',
  '3D000': 'refused', // invalid_catalog_name: no such database
  '40001': 'busy', // serialization_failure
  '40P01': 'busy', // deadlock_detected
  '42501': 'refused', // insufficient_privilege
  '53100': 'full', // disk_full
  '53200': 'full', // out_of_memory
  '53300': 'busy', // too_many_connections
  '55P03': 'busy', // lock_not_available
  '57014': 'busy', // query_canceled: the statement time-out
  '57P01': 'unavailable', // admin_shutdown
  '57P02': 'unavailable', // crash_shutdown
  '57P03': 'unavailable', // cannot_connect_now
  '57P05': 'unavailable', // idle_session_timeout
  XX001: 'corrupt', // data_corrupted
  XX002: 'corrupt', // index_corrupted
};

const networkCodes = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOENT'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'],
];

/** What `pg` says without a code. */
const messages: readonly (readonly [RegExp, StoreError['code']])[] = [
  // The pool's own words for: every connection is in use.
  [/^timeout exceeded when trying to connect/, 'busy'],
  [
    /^(Connection terminated|Client (has encountered|was closed)|Query read timeout|timeout expired)/,
    'unavailable',
  ],
  [/^(SASL|SCRAM)|does not support SSL|authentication/, 'refused'],
  [/after calling end on the pool|driver has already been destroyed/, 'closed'],
];

const codeOf = (code: string, message: string): StoreError['code'] => {
  const known = states[code] ?? states[code.slice(0, 2)];
  if (known && /^[0-9A-Z]{5}$/.test(code)) return known;
  if (networkCodes.includes(code)) return 'unavailable';
  // Node's names for a certificate that does not stand up to the check.
  if (/CERT|VERIFY|_TLS_|_SSL_/.test(code)) return 'refused';
  return messages.find(([pattern]) => pattern.test(message))?.[1] ?? 'failed';
};

/** Any fault of the server, the connection or the pool. Never names the URL: it may hold a password. */
export const faultOf = (cause: unknown): StoreError => {
  if (cause instanceof StoreError) return cause;
  const { code = '', message = String(cause) } = cause as { code?: string; message?: string };
  // Several addresses of one host failed: each has its own reason.
  const reasons = cause instanceof AggregateError ? cause.errors.map(({ message }) => message) : [message];
  return new StoreError(codeOf(code, message), `PostgreSQL: ${reasons.join('; ')}`, { cause });
};

/** Whether the transaction may be run again: the server rolled it back for the sake of another one. */
export const isRetriable = (error: unknown): boolean => {
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return code === '40P01' || code === '40001';
};
