import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ManifestError, readManifest } from '../classifier/manifest.ts';
import { ClientError, type GantryClient } from '../client/client.ts';
import { ConfigError, duration } from '../setting-kinds.ts';
import { type Canary, describeVerdict, runCanary } from './canary-run.ts';
import { type Connection, connect } from './connection.ts';

export interface CanaryOptions extends Connection {
  readonly timeout: string;
  readonly picture?: string;
  readonly expect?: string;
  readonly json?: true;
  readonly keep?: true;
}

const ofModel = async (folder: string): Promise<{ file: string; label: string }> => {
  const { canary } = await readManifest(folder).catch((cause: unknown) => {
    throw cause instanceof ManifestError ? new ConfigError(cause.message, { cause }) : cause;
  });
  if (canary === undefined) {
    const manifest = join(folder, 'manifest.json');
    throw new ConfigError(`${manifest} names no canary: give --picture FILE --expect LABEL, or add it there`);
  }
  return { file: join(folder, canary.picture), label: canary.label };
};

/** The picture to upload and the label it must get. Throws {@link ConfigError}. */
const canaryOf = async (folder: string, { picture, expect }: CanaryOptions): Promise<Canary> => {
  const { file, label } = picture === undefined ? await ofModel(folder) : { file: picture, label: undefined };
  const expected = expect ?? label;
  if (expected === undefined) throw new ConfigError('--picture needs --expect LABEL, the label it must get');
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : `cannot be read (${cause.code})`;
    throw new ConfigError(`${file}: ${why}`, { cause });
  });
  return { name: basename(file), content: bytes, expected };
};

/**
 * `gantry canary`: uploads a known picture and checks that it comes out as it must. Exit code 0 if it is right,
 * else 1; throws {@link ConfigError} for wrong usage. SIGINT and SIGTERM end the wait, and the image is still deleted.
 */
export const canary = async (modelFolder: string, options: CanaryOptions): Promise<void> => {
  const picture = await canaryOf(modelFolder, options);
  let timeoutMs: number;
  let server: GantryClient;
  try {
    timeoutMs = duration(100).parse(options.timeout);
    server = connect(options);
  } catch (cause) {
    const where = cause instanceof ClientError ? '' : '--timeout ';
    throw new ConfigError(`${where}${(cause as Error).message}`, { cause });
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const keep = options.keep === true;
  const verdict = await runCanary(server, picture, { timeoutMs, stop: stop.signal, keep });
  const right = verdict.outcome === 'right';
  const text = options.json ? JSON.stringify(verdict) : describeVerdict(verdict);
  (right || options.json ? process.stdout : process.stderr).write(`${text}\n`);
  if (!right) process.exitCode = 1;
};
