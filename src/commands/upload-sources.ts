import { createWriteStream, mkdtempSync, openAsBlob, rmSync } from 'node:fs';
import { glob, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { kindOfName } from '../picture-name.ts';
import { ConfigError } from '../setting-kinds.ts';

/** A file to upload; nothing of it is read before `open`'s Blob is. */
export interface Source {
  /** As the user would name it. */
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  open(): Promise<Blob>;
}

export interface Sources {
  readonly files: Source[];
  /** Files of folders whose name is no picture's. */
  readonly passedOver: number;
}

const looksLikeGlob = /[*?[{]/;
const inOrder = new Intl.Collator('en', { numeric: true });

const sourceOf = (path: string, name: string, bytes: number, file = path): Source => ({
  ...{ path, name, bytes },
  open: () => openAsBlob(file),
});

/** All that a pipe brings, in a temporary file that goes with this process: whatever its size, it can be sent twice. */
const fromStdin = async (name: string): Promise<Source> => {
  if (process.stdin.isTTY) throw new ConfigError('- stands for standard input, and that is a terminal');
  // At once: a signal in between would leave it behind.
  const folder = mkdtempSync(join(tmpdir(), 'gantry-upload-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'stdin');
  await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }));
  return sourceOf('-', name, (await stat(file)).size, file);
};

/** The files below a folder; what is hidden is left alone, and no link to a folder is followed. */
async function* below(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => inOrder.compare(a.name, b.name))) {
    if (kindOfName(entry.name) === 'hidden') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* below(path);
    else if (entry.isFile()) yield path;
    else if (entry.isSymbolicLink() && (await stat(path).catch(() => undefined))?.isFile()) yield path;
  }
}

/** What a word on the command line stands for: itself, or what it matches as a pattern (where no shell did). */
const matching = async (word: string): Promise<string[]> => {
  const exists = await stat(word).then(
    () => true,
    () => false,
  );
  if (exists || !looksLikeGlob.test(word)) return [word];
  const found = (await Array.fromAsync(glob(word))).sort(inOrder.compare);
  if (found.length === 0) throw new ConfigError(`nothing matches ${word}`);
  return found;
};

const cannotRead = (path: string, { code }: NodeJS.ErrnoException): ConfigError =>
  new ConfigError(
    `${path}: ${code === 'ENOENT' ? 'there is no such file or folder' : `cannot be read (${code})`}`,
  );

/**
 * The files that are meant: files, all pictures in folders and below, patterns, `-` for standard input; each once.
 * Throws {@link ConfigError} for a word that stands for nothing.
 */
export const findSources = async (words: readonly string[], stdinName: string): Promise<Sources> => {
  const files = new Map<string, Source>();
  let passedOver = 0;
  const add = async (path: string): Promise<void> => {
    const key = resolve(path);
    if (files.has(key)) return;
    files.set(key, sourceOf(path, basename(path), (await stat(path)).size));
  };
  for (const word of words) {
    if (word === '-') {
      if (!files.has('-')) files.set('-', await fromStdin(stdinName));
      continue;
    }
    for (const path of await matching(word)) {
      try {
        if (!(await stat(path)).isDirectory()) await add(path);
        else {
          for await (const file of below(path)) {
            if (kindOfName(basename(file)) === 'picture') await add(file);
            else passedOver += 1;
          }
        }
      } catch (error) {
        throw cannotRead(path, error as NodeJS.ErrnoException);
      }
    }
  }
  return { files: [...files.values()], passedOver };
};
