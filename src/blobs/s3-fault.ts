/** What an S3 server or the SDK throws, as far as anything is known of it. */
interface S3Error {
  readonly name?: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** What may stay of an error: the server also sends back who asked and what was signed. */
const harmless = new Set(['name', 'message', 'stack', 'code', 'errno', 'syscall', '$fault', '$metadata']);

/** The error without what the server knows of our credentials, fit to be a `cause` that gets into logs. */
export const withoutCredentials = (error: unknown): unknown => {
  if (typeof error !== 'object' || error === null) return error;
  for (const name of Reflect.ownKeys(error)) {
    if (typeof name === 'string' && !harmless.has(name)) Reflect.deleteProperty(error, name);
  }
  return error;
};

/**
 * The object, not the bucket, does not exist. The status does not tell: a proxy, or whatever else answers 404 for a
 * while, must not pass for the loss of a blob.
 */
export const isMissing = (error: unknown): boolean => (error as S3Error).name === 'NoSuchKey';

/** The server answered, other than by breaking down. */
export const isAnswer = (error: unknown): boolean =>
  ((error as S3Error).$metadata?.httpStatusCode ?? 500) < 500;

const ofStatus = (status: number, name: string): string => {
  if (name === 'NoSuchBucket') return 'there is no such bucket';
  if (status === 401 || status === 403) return `access denied (${name})`;
  if (status === 301 || status === 307) return 'the bucket is in another region';
  return `the server answers ${status} ${name}`;
};

/** Why a request failed, in a few words without credentials. `host` is whom it was sent to. */
export const reasonOf = (error: unknown, host: string): string => {
  const { name = 'Error', code, $metadata } = error as S3Error;
  const status = $metadata?.httpStatusCode;
  if (name === 'TimeoutError' || name === 'AbortError') return `${host} does not answer in time`;
  if (/Credentials|TokenProvider/.test(name)) return 'no credentials are to be found';
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code)) return `cannot connect to ${host} (${code})`;
  if (status !== undefined) return ofStatus(status, name);
  return `${host}: ${name}`;
};
