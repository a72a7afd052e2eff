import { fdatasync, fsync, open, writev } from 'node:fs';

// Plain descriptors: making a FileHandle of node:fs/promises costs more than some of the calls do.

type Done<T> = (error: NodeJS.ErrnoException | null, answer: T) => void;
const promised = <T>(call: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    call((error, answer) => (error === null ? resolve(answer) : reject(error)));
  });

/** Resolves with the descriptor, which is the caller's to close. */
export const openFile = (path: string, flags: 'r' | 'wx', mode?: number): Promise<number> =>
  promised((done) => open(path, flags, mode, done));

/** What is left of `pieces` behind their first `count` bytes. */
const behind = (pieces: readonly Uint8Array[], count: number): Uint8Array[] => {
  let skipped = count;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(skipped, piece.byteLength));
    skipped -= piece.byteLength - rest.byteLength;
    return rest.byteLength === 0 ? [] : [rest];
  });
};

/** Writes all of these bytes where the file stands. */
export const writeAll = async (file: number, pieces: readonly Uint8Array[]): Promise<void> => {
  for (let left = [...pieces]; left.length > 0; ) {
    left = behind(left, await promised<number>((done) => writev(file, left, null, done)));
  }
};

/** Makes a file, or the entries of a folder, durable. */
export const syncFile = (file: number): Promise<void> => promised((done) => fsync(file, done as () => void));

/** The same for the size and bytes of a file; when it was changed may be lost. */
export const syncData = (file: number): Promise<void> =>
  promised((done) => fdatasync(file, done as () => void));
