import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { idOf } from '../access/api-key.ts';
import { ClientError, defaultUrl, type GantryClient, gantryClient } from '../client/client.ts';

/** How a command is told which server is meant, and with which key. */
export interface Connection {
  readonly url?: string;
  readonly apiKeyFile?: string;
}

/** The options of every command that talks to a server. A key comes in a file, as everybody sees a command line. */
export const addConnection = (command: Command): Command =>
  command
    .addOption(new Option('--url <url>', `the server (GANTRY_URL, default ${defaultUrl})`))
    .addOption(
      new Option(
        '--api-key-file <file>',
        'file with the API key to send (GANTRY_API_KEY_FILE, or the key itself in GANTRY_API_KEY)',
      ),
    );

/** The server that a command talks to: as it was told, else GANTRY_URL, else this machine. */
export const serverUrl = (told: string | undefined): string => told ?? (process.env.GANTRY_URL || defaultUrl);

/** A further line about a server that was never there. */
export const absentHint =
  '\nIs it running? `gantry serve` starts one here; --url or GANTRY_URL names another';

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
const apiKeyToSend = (file: string | undefined, environment = process.env): string | undefined => {
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

/** A client for the server that is meant. Throws {@link ClientError} for an address or a key that cannot be one. */
export const connect = ({ url, apiKeyFile }: Connection): GantryClient =>
  gantryClient(serverUrl(url), { apiKey: apiKeyToSend(apiKeyFile) });
