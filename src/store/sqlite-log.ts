import { closeSync, fdatasync, openSync } from 'node:fs';

const sync = (file: number): Promise<void> =>
  new Promise((resolve, reject) => {
    fdatasync(file, (error) => (error === null ? resolve() : reject(error)));
  });

/** The write-ahead log of an open database, which SQLite itself syncs before checkpoints only. */
export interface Log {
  /** To be called after every commit. */
  committed(): void;
  /**
   * Resolves once all that was committed before the call is on the disk. Callers that come together share a sync, and
   * none is made if nothing was committed since the last. Throws what the first failed sync threw, for ever after: the
   * system may have dropped what it could not write, and the next sync would know nothing of it.
   */
  synced(): Promise<void>;
  /** No sync may be under way. */
  close(): void;
}

/** `path` is that of the log; the file is there after the first read of the database. */
export const openLog = (path: string): Log => {
  let file: number | undefined;
  let committed = 0;
  let durable = 0;
  let underWay: Promise<void> | undefined;

  const syncOnce = async (): Promise<void> => {
    const all = committed;
    // Closing it drops no lock of SQLite's, which are on the database and its index of the log.
    file ??= openSync(path, 'r+');
    await sync(file);
    durable = all;
    underWay = undefined;
  };
  return {
    committed() {
      committed += 1;
    },
    async synced() {
      // A sync that had begun before may have missed the last commits.
      for (const all = committed; durable < all; ) {
        underWay ??= syncOnce();
        await underWay;
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
};
