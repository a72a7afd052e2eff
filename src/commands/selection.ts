import { createInterface } from 'node:readline/promises';
import { ClientError, type GantryClient } from '../client/client.ts';
import { ConfigError } from '../setting-kinds.ts';

/** The images that are meant are not there, or it is not sure that they are meant. Exit code 1. */
export class SelectionError extends Error {
  readonly code = 'nothing-selected';
}

const form = 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx';
const leastDigits = 8;
/** Digits of the time in an ID (UUIDv7). */
const timeDigits = 12;
/** The last time that has four digits of a year. */
const lastTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Throws {@link ConfigError} for what can be no ID, nor the beginning of one. */
const checkId = (text: string): void => {
  if (text.length >= leastDigits && form.startsWith(text.replaceAll(/[0-9a-f]/gi, 'x'))) return;
  throw new ConfigError(
    `${JSON.stringify(text)} is no ID, such as 019b0c6e-5f3a-7c21-9d40-8e6f1a2b3c4d, nor ${leastDigits} digits or more of its beginning; gantry images list shows them`,
  );
};

/** When images were uploaded whose ID begins like this. */
const uploadedWithin = (beginning: string): { from: string; until: string } => {
  const digits = beginning.replaceAll('-', '').slice(0, timeDigits);
  const from = Number.parseInt(digits.padEnd(timeDigits, '0'), 16);
  const until = from + 16 ** (timeDigits - digits.length);
  const iso = (time: number): string => new Date(Math.min(time, lastTime)).toISOString();
  return { from: iso(from), until: iso(until) };
};

/**
 * The whole ID of an image, of which a beginning is enough that no other image has. Throws {@link ConfigError} for what
 * can be none, {@link SelectionError} for a beginning that no image has or several have; ClientError.
 */
export const imageId = async (server: GantryClient, text: string): Promise<string> => {
  checkId(text);
  if (text.length === form.length) return text;
  const beginning = text.toLowerCase();
  const found: string[] = [];
  for await (const { id } of server.images(uploadedWithin(beginning))) {
    if (id.startsWith(beginning)) found.push(id);
    if (found.length > 1) break;
  }
  const [id, other] = found;
  if (id === undefined) throw new SelectionError(`there is no image whose ID begins with ${text}`);
  if (other !== undefined) throw new SelectionError(`more than one ID begins with ${text}: ${id}, ${other}`);
  return id;
};

/** As {@link imageId} for each; none is missing, or none is returned. */
export const imageIds = (server: GantryClient, texts: readonly string[]): Promise<string[]> =>
  Array.fromAsync(texts, (text) => imageId(server, text));

/** Throws {@link ConfigError} unless there are either IDs or `--all`. */
export const checkSelection = (ids: readonly string[], all: boolean): void => {
  if (ids.length === 0 && !all) throw new ConfigError('name the IDs, or say --all');
  if (ids.length > 0 && all) throw new ConfigError('IDs and --all together make no sense');
  ids.forEach(checkId);
};

/** Asks on the terminal; without one, only `yes` lets it pass. Throws {@link SelectionError} for anything else. */
export const confirm = async (question: string, yes: boolean): Promise<void> => {
  if (yes) return;
  if (!process.stdin.isTTY) throw new SelectionError(`${question} Say --yes if that is meant`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new SelectionError('nothing was done');
  } finally {
    terminal.close();
  }
};

/** Runs `change` for each ID, tells of each, and goes on after a failure; exit code 1 if there was one. */
export const forEach = async (
  ids: Iterable<string> | AsyncIterable<string>,
  change: (id: string) => Promise<void>,
): Promise<void> => {
  for await (const id of ids) {
    try {
      await change(id);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code === 'unreachable') throw error;
      process.stderr.write(`${id}: ${error.message}\n`);
      process.exitCode = 1;
    }
  }
};
