import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { idOf } from '../access/api-key.ts';
import { ClientError } from './client.ts';

/** How every command that talks to a server is given a key: by a file, as everybody sees a command line. */
export const apiKeyOption = (): Option =>
  new Option(
    '--api-key-file <file>',
    'file with the API key to send (GANTRY_API_KEY_FILE, or the key itself in GANTRY_API_KEY)',
  );

const fromFile = (where: string, path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ClientError('invalid-key', `${where}: cannot read ${path} (${code})`, { cause });
  }
};

/**
 * The key that a command sends: from the file it was told, else GANTRY_API_KEY, else GANTRY_API_KEY_FILE; undefined
 * without any. Throws {@link ClientError} for what cannot be a key, and never shows it.
 */
export const apiKeyToSend = (
  file: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined => {
  const { GANTRY_API_KEY: key, GANTRY_API_KEY_FILE: named } = environment;
  const given = ((): { key: string; where: string } | undefined => {
    if (file !== undefined) return { key: fromFile('--api-key-file', file), where: file };
    if (key) return { key: key.trim(), where: 'GANTRY_API_KEY' };
    return named ? { key: fromFile('GANTRY_API_KEY_FILE', named), where: named } : undefined;
  })();
  if (given === undefined) return undefined;
  if (idOf(given.key) === undefined) {
    throw new ClientError(
      'invalid-key',
      `what ${given.where} holds is no API key: they look like gantry_..._...`,
    );
  }
  return given.key;
};
