import { closeSync } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BlobMissing, type Blobs, BlobsUnavailable } from './blobs.ts';
import { codeOf } from './errno.ts';
import { syncData, writeAll } from './file.ts';
import { durableFolders, sharedSync, syncFolder } from './folder-sync.ts';
import { checkedKey, isKeyPart } from './key.ts';
import { cleanTemporary, createTemporaryFile, makeOwnFolder } from './temporary.ts';

export interface FilesystemBlobs extends Blobs {
  /**
   * For the process that writes, once, before its first `put`: makes the folder, finds out whether it can be written
   * to, and removes temporary files of dead processes. Throws {@link BlobsUnavailable}.
   */
  prepare(): Promise<void>;
}

/** Pieces are written together until they come to this size (bytes): each write is a turn of another thread. */
const blockBytes = 131_072;

/** The same pieces, those that are to be written together in one array. */
async function* inBlocks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of source) {
    waiting.push(piece);
    bytes += piece.byteLength;
    if (bytes < blockBytes) continue;
    yield waiting;
    waiting = [];
    bytes = 0;
  }
  if (waiting.length > 0) yield waiting;
}

const makeRoot = async (root: string): Promise<void> => {
  const first = await mkdir(root, { recursive: true, mode: 0o750 });
  if (first === undefined) return;
  for (let made = root; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
};

/**
 * What lies in a folder, folders with a slash behind, in the order of the keys they stand for. Leaves out what no
 * key leads to, such as `.tmp`, links, and the `lost+found` that a volume brings along (only root may look into it).
 */
const entriesOf = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { withFileTypes: true });
  const shown = entries.filter(({ name }) => isKeyPart(name));
  const files = shown.filter((entry) => entry.isFile()).map(({ name }) => name);
  const folders = shown.filter((entry) => entry.isDirectory()).map(({ name }) => `${name}/`);
  return [...files, ...folders].sort();
};

/**
 * Blobs as files below `dir`, their keys being paths. Nothing is written unless `prepare`, `put` or `remove` is
 * called, so a process that only reads may have `dir` read-only. A key that is put again gets the new bytes as a
 * whole; who has the old blob open goes on reading the old one. A bad key is refused with `InvalidBlobKey`.
 */
export const filesystemBlobs = (dir: string): FilesystemBlobs => {
  const root = resolve(dir);
  const sync = sharedSync(syncFolder);
  const folders = durableFolders(root, sync);
  const pathOf = (key: string): string => join(root, checkedKey(key));

  const unavailable = (what: string, cause: unknown): BlobsUnavailable =>
    new BlobsUnavailable(`cannot ${what} in ${root}: ${String(codeOf(cause) ?? cause)}`, { cause });

  /** What a failed access to one blob means. A folder where a blob should be is no blob. */
  const fault = async (
    what: string,
    key: string,
    cause: unknown,
  ): Promise<BlobMissing | BlobsUnavailable> => {
    const code = codeOf(cause);
    if (code !== 'ENOENT' && code !== 'EISDIR') return unavailable(`${what} ${key}`, cause);
    // Without its folder the whole storage is away, which says nothing about this blob.
    return stat(root).then(
      () => new BlobMissing(key, { cause }),
      (absent: unknown) => unavailable(`${what} ${key}`, absent),
    );
  };

  const moveInto = async (target: string, temporary: string): Promise<void> => {
    const folder = dirname(target);
    await folders.ensure(folder);
    await rename(temporary, target).catch(async (error) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      folders.forget(folder);
      await folders.ensure(folder);
      await rename(temporary, target);
    });
    // Not accepted, so it must not stay: nobody would ever remove it.
    await sync(folder).catch(async (error) => {
      await rm(target, { force: true }).catch(() => {});
      throw error;
    });
  };

  return {
    prepare: async () => {
      try {
        await makeRoot(root);
        await makeOwnFolder(root);
        await cleanTemporary(root);
      } catch (cause) {
        throw unavailable('store blobs', cause);
      }
    },

    put: async (key, source) => {
      const target = pathOf(key);
      const storing = <T>(step: Promise<T>): Promise<T> =>
        step.catch((cause) => {
          throw unavailable(`write ${key}`, cause);
        });
      const { path, file } = await storing(createTemporaryFile(root));
      let open = true;
      // What was written is synced, so that closing waits for nothing.
      const close = async (): Promise<void> => {
        open = false;
        closeSync(file);
      };
      try {
        // Only our own steps become BlobsUnavailable; what the source throws passes as it is.
        for await (const block of inBlocks(source)) await storing(writeAll(file, block));
        await storing(syncData(file));
        await storing(close());
        await storing(moveInto(target, path));
      } catch (error) {
        if (open) await close().catch(() => {});
        // If even this fails, the clean-up of a later start finds it.
        await rm(path, { force: true }).catch(() => {});
        throw error;
      }
    },

    read: async (key) => {
      const path = pathOf(key);
      return readFile(path).catch(async (cause) => {
        throw await fault('read', key, cause);
      });
    },

    open: async (key) => {
      const path = pathOf(key);
      let handle: FileHandle | undefined;
      try {
        handle = await open(path, 'r');
        const status = await handle.stat();
        if (!status.isFile()) throw Object.assign(new Error('not a file'), { code: 'EISDIR' });
        return { stream: handle.createReadStream(), bytes: status.size };
      } catch (cause) {
        await handle?.close().catch(() => {});
        throw await fault('read', key, cause);
      }
    },

    remove: async (key) => {
      const path = pathOf(key);
      try {
        await unlink(path);
        // A removed picture must not come back after a power failure.
        await sync(dirname(path));
      } catch (cause) {
        const error = await fault('remove', key, cause);
        if (!(error instanceof BlobMissing)) throw error;
      }
    },

    list: async function* list(prefix) {
      const walk = async function* (parent: string): AsyncGenerator<string> {
        const entries = await entriesOf(join(root, parent)).catch((error) => {
          // Removed since its parent was read.
          if (parent !== '' && codeOf(error) === 'ENOENT') return [];
          throw error;
        });
        for (const entry of entries) {
          const key = parent + entry;
          if (!entry.endsWith('/')) {
            if (key.startsWith(prefix)) yield key;
          } else if (key.startsWith(prefix) || prefix.startsWith(key)) yield* walk(key);
        }
      };
      try {
        yield* walk('');
      } catch (cause) {
        throw unavailable('list blobs', cause);
      }
    },

    freeBytes: async () => {
      try {
        const { bavail, bsize } = await statfs(root);
        return bavail * bsize;
      } catch (cause) {
        throw unavailable('tell the free space', cause);
      }
    },
  };
};
