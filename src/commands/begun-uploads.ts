import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
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
}

/** Uploads in pieces that were begun and not finished, so that the next run goes on with them. Nothing of it ever throws. */
export interface BegunUploads {
  keyOf(file: BegunFile): Promise<string | undefined>;
  note(file: BegunFile, key: string): Promise<void>;
  forget(file: BegunFile): Promise<void>;
}

/** Longer than servers keep what is unfinished. An entry that is too old does no harm: its key begins a new upload. */
const rememberMs = 30 * 86_400_000;

/** Where they are kept (XDG Base Directory): the folder `uploads` in `$XDG_STATE_HOME/gantry` or `~/.local/state/gantry`. */
export const begunUploadsFolder = ({ XDG_STATE_HOME: given = '' } = process.env): string =>
  join(isAbsolute(given) ? given : join(homedir(), '.local/state'), 'gantry/uploads');

const isEntryOf = (file: BegunFile, value: unknown): value is Entry => {
  const { server, sha256, bytes, key } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  const same = server === file.server && sha256 === file.sha256 && bytes === file.bytes;
  return same && typeof key === 'string';
};

/** At once or not at all, and for its owner only: whoever has a key may go on with that upload. */
const write = async (path: string, entry: Entry): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${randomUUID()}`;
  try {
    const handle = await open(beside, 'wx', 0o600);
    await handle.writeFile(`${JSON.stringify(entry, null, 2)}\n`).finally(() => handle.close());
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
};

/** Also what a process that was killed has left half-written. */
const removeOld = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    // Another process may have removed it meanwhile.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < Date.now() - rememberMs) await rm(path, { force: true });
  }
};

/**
 * Keeps them in `folder`, each in a file of its own, so that processes that run at once have nothing to lose to one
 * another. What is wrong with that is told once, in a line.
 */
export const begunUploads = (folder: string, tell: (line: string) => void): BegunUploads => {
  const pathOf = ({ server, sha256, bytes }: BegunFile): string => {
    const name = createHash('sha256').update(JSON.stringify([server, sha256, bytes]));
    return join(folder, `${name.digest('hex')}.json`);
  };
  let told = false;
  const tellOnce = (error: unknown): void => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    const why = error instanceof SyntaxError ? 'what is in it is damaged' : code;
    if (!told)
      tell(`${folder} cannot be used (${why}): an upload that is killed begins from its start again`);
    told = true;
  };
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other, as the same file may be noted and forgotten right after. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(() => work().catch(tellOnce));
    last = done;
    return done;
  };
  let tidied = false;
  return {
    async keyOf(file) {
      try {
        const value: unknown = JSON.parse(await readFile(pathOf(file), 'utf8'));
        if (!isEntryOf(file, value)) throw new SyntaxError('not the upload it is named after');
        return value.key;
      } catch (error) {
        tellOnce(error);
        return undefined;
      }
    },
    note: ({ server, sha256, bytes }, key) =>
      inTurn(async () => {
        const entry = { server, sha256, bytes, key };
        await write(pathOf(entry), entry);
        if (!tidied) await removeOld(folder);
        tidied = true;
      }),
    forget: (file) => inTurn(() => rm(pathOf(file), { force: true })),
  };
};
