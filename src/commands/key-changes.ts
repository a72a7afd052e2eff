import { resolve } from 'node:path';
import { type ApiKey, createKey, isExpired, type Scope, scopes } from '../access/api-key.ts';
import { changeKeys, readKeys } from '../access/key-file.ts';
import { parseRate } from '../access/rate.ts';
import { loadConfig } from '../config.ts';
import { ConfigError, duration } from '../setting-kinds.ts';
import { environmentName, flagName } from '../settings.ts';
import { table } from './table.ts';

/** There is no such key. Exit code 1. */
class KeyError extends Error {
  readonly code = 'no-such-key';
}

export interface OfFile {
  readonly apiKeysFile?: string;
}

const print = (text: string): void => void process.stdout.write(text);
const day = (time: string): string => time.slice(0, 10);

const fileOf = ({ apiKeysFile }: OfFile): string => {
  const { apiKeysFile: file } = loadConfig(process.env, apiKeysFile === undefined ? {} : { apiKeysFile });
  if (file !== undefined) return resolve(file);
  const [flag, variable] = [flagName('apiKeysFile'), environmentName('apiKeysFile')];
  throw new ConfigError(`which keys? Name their file with ${flag} or ${variable}`);
};

const scopesOf = (given: readonly string[]): Scope[] => {
  const all = given.flatMap((text) => text.split(','));
  const stranger = all.find((scope) => !scopes.includes(scope as Scope));
  if (stranger !== undefined) {
    throw new ConfigError(`--scope takes one of ${scopes.join(', ')}, not ${JSON.stringify(stranger)}`);
  }
  return scopes.filter((scope) => all.includes(scope));
};

const nameOf = (given: string): string => {
  const name = given.trim();
  if (/^[^\p{Cc}]{1,100}$/u.test(name)) return name;
  throw new ConfigError('--name takes a text of 1 to 100 characters, without control characters');
};

const expiryOf = (given: string | undefined): string | null => {
  if (given === undefined || given === 'never') return null;
  try {
    return new Date(Date.now() + duration(1000, 36500 * 86400e3).parse(given)).toISOString();
  } catch (cause) {
    throw new ConfigError(`--expires ${(cause as Error).message}, or never`, { cause });
  }
};

const rateOf = (given: string | undefined): string | null => {
  if (given === undefined) return null;
  if (parseRate(given) !== undefined) return given;
  throw new ConfigError(`--rate takes a rate such as 10/s, 100/m or 5000/h, not ${JSON.stringify(given)}`);
};

/** What of a key may be shown. */
const shown = ({ sha256: _, ...key }: ApiKey) => key;

export interface Create extends OfFile {
  readonly name: string;
  readonly scope: readonly string[];
  readonly expires?: string;
  readonly rate?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/**
 * `gantry keys create`: makes a key and prints it; only the key unless stdout is a terminal. Throws {@link ConfigError} for
 * wrong usage, and KeyFileError.
 */
export const create = async (options: Create): Promise<void> => {
  const file = fileOf(options);
  const { id, key, sha256 } = createKey();
  const entry: ApiKey = {
    ...{ id, name: nameOf(options.name), sha256, scopes: scopesOf(options.scope) },
    createdAt: new Date().toISOString(),
    expiresAt: expiryOf(options.expires),
    rate: rateOf(options.rate),
  };
  await changeKeys(file, (keys) => {
    if (keys.some(({ name }) => name === entry.name)) {
      throw new ConfigError(
        `there is a key called ${JSON.stringify(entry.name)} already; revoke it, or choose another name`,
      );
    }
    return [...keys, entry];
  });
  if (options.json) print(`${JSON.stringify({ ...shown(entry), key })}\n`);
  else if (options.quiet || !process.stdout.isTTY) print(`${key}\n`);
  else {
    const until = entry.expiresAt === null ? 'does not expire' : `expires on ${day(entry.expiresAt)}`;
    print(`${key}\n\nThis is the only time it is shown. It may ${entry.scopes.join(', ')}, and ${until}.\n`);
    print(`curl -H 'Authorization: Bearer gantry_...' http://localhost:5000/images\n`);
  }
};

/** `gantry keys list`: all of them, without their digests. Throws {@link ConfigError} and KeyFileError. */
export const list = async (options: OfFile & { json?: true }): Promise<void> => {
  const keys = await readKeys(fileOf(options));
  if (options.json) {
    for (const key of keys) print(`${JSON.stringify({ ...shown(key), expired: isExpired(key) })}\n`);
    return;
  }
  if (keys.length === 0) {
    print('No keys. gantry keys create makes one.\n');
    return;
  }
  const rows = keys.map((key) => [
    ...[key.id, key.name, key.scopes.join(','), key.rate ?? 'no limit', day(key.createdAt)],
    key.expiresAt === null ? 'never' : `${day(key.expiresAt)}${isExpired(key) ? ' (expired)' : ''}`,
  ]);
  print(table(['ID', 'NAME', 'SCOPES', 'RATE', 'CREATED', 'EXPIRES'], rows));
};

/** `gantry keys revoke`: takes a key out of the file. Throws {@link KeyError}, {@link ConfigError} and KeyFileError. */
export const revoke = async (id: string, options: OfFile): Promise<void> => {
  const file = fileOf(options);
  await changeKeys(file, (keys) => {
    const left = keys.filter((key) => key.id !== id);
    // Somebody may take the whole key for its ID; it must not end up in a log this way.
    if (left.length === keys.length) {
      const what = /^[a-z0-9-]{1,40}$/.test(id) ? ` ${id}` : ' with this ID (12 of a-z and 0-9)';
      throw new KeyError(`there is no key${what}; gantry keys list shows all`);
    }
    return left;
  });
  print(`${id} revoked; servers notice within seconds\n`);
};
