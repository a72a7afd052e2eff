import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** A file for a server; the same bytes under another name are the same. */
export interface BegunFile {
  readonly server: string;
  readonly sha256: string;
  readonly bytes: number;
}
interface Entry extends BegunFile {
  /** The Idempotency-Key by which the server knows the upload. */
  readonly key: string;
  readonly begunAt: string;
}

/** Uploads in pieces that were begun and not finished, so that the next run goes on with them. Nothing of it ever throws. */
export interface BegunUploads {
  keyOf(file: BegunFile): Promise<string | undefined>;
  note(file: BegunFile, key: string): Promise<void>;
  forget(file: BegunFile): Promise<void>;
}

/** Longer than servers keep what is unfinished. An entry that is too old does no harm: its key begins a new upload. */
const rememberMs = 30 * 86_400_000;

/** Where they are kept (XDG Base Directory): `uploads.json` in `$XDG_STATE_HOME/gantry` or `~/.local/state/gantry`. */
export const begunUploadsPath = ({ XDG_STATE_HOME: given = '' } = process.env): string =>
  join(isAbsolute(given) ? given : join(homedir(), '.local/state'), 'gantry/uploads.json');

const isEntry = (value: unknown): value is Entry => {
  const { server, sha256, bytes, key, begunAt } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  const texts = [server, sha256, key, begunAt].every((text) => typeof text === 'string');
  return texts && typeof bytes === 'number';
};
/** Throws if the file is there and cannot be used. */
const read = async (path: string): Promise<Entry[]> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries) || !entries.every(isEntry)) throw new SyntaxError('no list of uploads');
  return entries.filter(({ begunAt }) => Date.parse(begunAt) > Date.now() - rememberMs);
};
/** At once or not at all, and for its owner only: whoever has a key may go on with that upload. */
const write = async (path: string, entries: readonly Entry[]): Promise<void> => {
  if (entries.length === 0) return rm(path, { force: true });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${randomUUID()}`;
  try {
    const handle = await open(beside, 'wx', 0o600);
    await handle.writeFile(`${JSON.stringify(entries, null, 2)}\n`).finally(() => handle.close());
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
};

const isOf = (file: BegunFile) => (entry: Entry) =>
  entry.server === file.server && entry.sha256 === file.sha256 && entry.bytes === file.bytes;

/**
 * Keeps them in the file at `path`. What is wrong with that is told once, in a line. Two processes that write at the same
 * moment may lose an entry, and then a file is sent from its beginning.
 */
export const begunUploads = (path: string, tell: (line: string) => void): BegunUploads => {
  let told = false;
  const tellOnce = (error: unknown): void => {
    const { code } = error as NodeJS.ErrnoException;
    const why = error instanceof SyntaxError ? 'it is damaged' : code;
    if (!told) tell(`${path} cannot be used (${why}): an upload that is killed begins from its start again`);
    told = true;
  };
  const entriesNow = (): Promise<Entry[]> =>
    read(path).catch((error: unknown) => {
      tellOnce(error);
      return [];
    });
  let last: Promise<unknown> = Promise.resolve();
  const change = (make: (entries: Entry[]) => Entry[] | undefined): Promise<void> => {
    const changed = last.then(async () => {
      const entries = make(await entriesNow());
      if (entries !== undefined) await write(path, entries).catch(tellOnce);
    });
    last = changed;
    return changed;
  };
  return {
    keyOf: async (file) => (await entriesNow()).find(isOf(file))?.key,
    note: (file, key) =>
      change((entries) => [
        ...entries.filter((entry) => !isOf(file)(entry)),
        { ...file, key, begunAt: new Date().toISOString() },
      ]),
    forget: (file) =>
      change((entries) =>
        entries.some(isOf(file)) ? entries.filter((entry) => !isOf(file)(entry)) : undefined,
      ),
  };
};
