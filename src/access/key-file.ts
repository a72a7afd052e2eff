import { constants, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { syncFolder } from '../blobs/folder-sync.ts';
import { type ApiKey, scopes } from './api-key.ts';
import { parseRate } from './rate.ts';

/** The key file cannot be used. One line: which file, what is wrong where; never what it holds. */
export class KeyFileError extends Error {
  readonly code: 'key-file-missing' | 'key-file-unreadable' | 'key-file-invalid' | 'key-file-in-use';
  constructor(code: KeyFileError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const time = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?Z$' });
const KeyFile = Type.Object(
  {
    version: Type.Literal(1),
    keys: Type.Array(
      Type.Object(
        {
          id: Type.String({ pattern: '^[a-z0-9]{12}$' }),
          name: Type.String({ minLength: 1, maxLength: 100 }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
          scopes: Type.Array(Type.Enum([...scopes]), { minItems: 1 }),
          createdAt: time,
          expiresAt: Type.Union([time, Type.Null()]),
          rate: Type.Union([Type.String(), Type.Null()]),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
type KeyFile = Static<typeof KeyFile>;
const compiled = Compile(KeyFile);

/** What each field must be; the schema's own words would be about patterns. */
const expected: Readonly<Record<string, string>> = {
  version: 'must be 1',
  keys: 'must be a list',
  id: 'must be 12 of a-z and 0-9',
  name: 'must be a text of 1 to 100 characters',
  sha256: 'must be 64 hexadecimal digits',
  scopes: `must be a list of ${scopes.join(', ')}`,
  createdAt: 'must be a time such as 2026-01-31T12:00:00Z',
  expiresAt: 'must be a time such as 2026-01-31T12:00:00Z, or null',
  rate: 'must be a rate such as 100/m, or null',
};

const missing = (place: string, names: readonly string[]): string =>
  `${place === '' ? '' : `${place}: `}${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} missing`;

/** The first thing wrong with the shape of `value`; its field names are ours, so they may be told. */
const shapeFault = (value: unknown): string => {
  for (const { keyword, instancePath, params } of compiled.Errors(value)) {
    const parts = instancePath.split('/').slice(1);
    const place = parts.slice(0, 3).join('.');
    if ('requiredProperties' in params) return missing(place, params.requiredProperties);
    // Such a field's name is not ours: it may be anything.
    if (keyword === 'boolean') {
      return `${parts.slice(0, -1).join('.') || 'the whole'} has a field that does not belong there`;
    }
    if (keyword === 'additionalProperties') continue;
    const field = parts.findLast((part) => part in expected);
    if (parts.length === 2) return `${place} must be a key`;
    if (field !== undefined) return `${place} ${expected[field]}`;
  }
  return 'the whole must be {"version": 1, "keys": [...]}';
};

/** What the schema cannot say. */
const contentFault = ({ keys }: KeyFile): string | undefined => {
  const [ids, names] = [new Set<string>(), new Set<string>()];
  for (const [at, { id, name, createdAt, expiresAt, rate }] of keys.entries()) {
    const fault = (field: string): string => `keys.${at}.${field} ${expected[field]}`;
    if (Number.isNaN(Date.parse(createdAt))) return fault('createdAt');
    if (expiresAt !== null && Number.isNaN(Date.parse(expiresAt))) return fault('expiresAt');
    if (rate !== null && parseRate(rate) === undefined) return fault('rate');
    if (ids.has(id)) return `keys.${at}.id is there twice`;
    if (names.has(name)) return `keys.${at}.name is there twice`;
    ids.add(id);
    names.add(name);
  }
  return undefined;
};

/** The keys that the text of a file holds. Throws {@link KeyFileError}. */
export const parseKeys = (file: string, text: string): readonly ApiKey[] => {
  const invalid = (fault: string): KeyFileError =>
    new KeyFileError('key-file-invalid', `the key file ${file} cannot be used: ${fault}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // No cause, and of its message only the place: the rest would repeat what the file holds.
    throw invalid(`it is no JSON ${/\(line \d+ column \d+\)/.exec(String(cause))?.[0] ?? ''}`.trimEnd());
  }
  if (!compiled.Check(value)) throw invalid(shapeFault(value));
  const fault = contentFault(value);
  if (fault !== undefined) throw invalid(fault);
  return value.keys;
};

/** Some 30,000 keys. */
const mostBytes = 10_000_000;

const readWhole = async (file: string): Promise<string> => {
  // A pipe would have the server wait for who writes into it.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    const fault = (what: string): KeyFileError =>
      new KeyFileError('key-file-unreadable', `the key file ${file} cannot be used: ${what}`);
    if (!found.isFile()) throw fault('it is a folder, a pipe or a device');
    if (found.size > mostBytes) throw fault(`it is larger than ${mostBytes / 1e6} MB`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
};

/** What a key file holds: a regular file of at most 10 MB. Throws {@link KeyFileError}. */
export const readKeyText = async (file: string): Promise<string> => {
  try {
    return await readWhole(file);
  } catch (cause) {
    if (cause instanceof KeyFileError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new KeyFileError('key-file-missing', `there is no key file ${file}`, { cause });
    }
    throw new KeyFileError('key-file-unreadable', `the key file ${file} cannot be read (${code})`, { cause });
  }
};

/** The keys of a file. Throws {@link KeyFileError}. */
export const readKeys = async (file: string): Promise<readonly ApiKey[]> =>
  parseKeys(file, await readKeyText(file));

/** Where the file is, behind symbolic links, and whose it is, so that a server which could read it still can. */
const found = async (file: string) => {
  const path = await realpath(file).catch(() => file);
  const old = await stat(path).catch(() => undefined);
  return { path, old };
};

/**
 * Replaces the keys of a file by what `change` makes of them: at once or not at all, for good, and not at the same
 * time as another. `change` gets none if there is no file; what it throws leaves the file as it is. A new file is
 * readable by its owner only. Throws {@link KeyFileError}.
 */
export const changeKeys = async (
  file: string,
  change: (keys: readonly ApiKey[]) => readonly ApiKey[],
): Promise<void> => {
  const { path, old } = await found(file);
  const beside = `${path}.new`;
  const handle = await open(beside, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
    const inUse = `another command changes ${path}; if none does, one was broken off: remove ${beside}`;
    const why = cause.code === 'EEXIST' ? inUse : `${beside} cannot be written (${cause.code})`;
    throw new KeyFileError(cause.code === 'EEXIST' ? 'key-file-in-use' : 'key-file-unreadable', why, {
      cause,
    });
  });
  try {
    try {
      const keys = change(old === undefined ? [] : await readKeys(path));
      await handle.writeFile(`${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
      if (old !== undefined) {
        await handle.chmod(old.mode & 0o777);
        if (process.getuid?.() === 0) await handle.chown(old.uid, old.gid);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
};
