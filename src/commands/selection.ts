import { createInterface } from 'node:readline/promises';
import { ClientError } from '../client/client.ts';

/** The command does not say which images are meant. Exit code 1. */
export class SelectionError extends Error {
  readonly code = 'nothing-selected';
}

/** The ID of an image, as it was typed. Throws {@link SelectionError} for what cannot be one. */
export const imageId = (text: string): string => {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  throw new SelectionError(
    `${JSON.stringify(text)} is no whole ID, such as 019b0c6e-5f3a-7c21-9d40-8e6f1a2b3c4d; gantry images list shows them`,
  );
};

/** Throws {@link SelectionError} unless there are either IDs or `--all`. */
export const checkSelection = (ids: readonly string[], all: boolean): void => {
  if (ids.length === 0 && !all) throw new SelectionError('name the IDs, or say --all');
  if (ids.length > 0 && all) throw new SelectionError('IDs and --all together make no sense');
  ids.forEach(imageId);
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
