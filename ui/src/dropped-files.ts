import { kindOfName } from '../../src/picture-name.ts';

/** What somebody chose, dropped or pasted. */
export interface Selection {
  readonly files: readonly File[];
  /** The paths of files in folders that are not sent, because their name is no picture's; null: there was no folder. */
  readonly passedOver: readonly string[] | null;
}

/** Files that were meant each: whether they are pictures the server decides. */
export const chosenFiles = (files: Iterable<File>): Selection => ({ files: [...files], passedOver: null });

/** The pictures of a folder that was chosen as one, without what is hidden in it. */
export const chosenFolder = (all: Iterable<File>): Selection => {
  const files: File[] = [];
  const passedOver: string[] = [];
  for (const file of all) {
    // The folder itself was named; it may be a hidden one.
    const below = file.webkitRelativePath.split('/').slice(1);
    if (below.some((name) => kindOfName(name) === 'hidden')) continue;
    if (kindOfName(file.name) === 'picture') files.push(file);
    else passedOver.push(file.webkitRelativePath);
  }
  return { files, passedOver };
};

/** What cannot be read (gone meanwhile, or not allowed) is left out. */
const fileOf = (entry: FileSystemEntry): Promise<File | null> =>
  new Promise((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(null)));

/** The next hundred or so; none at the end. */
const nextOf = (reader: FileSystemDirectoryReader): Promise<readonly FileSystemEntry[]> =>
  new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));

/** Adds what is below a folder. A few files at a time: the page goes on answering while thousands are found. */
const collect = async (folder: FileSystemEntry, files: File[], passedOver: string[]): Promise<void> => {
  const reader = (folder as FileSystemDirectoryEntry).createReader();
  const folders: FileSystemEntry[] = [];
  for (let entries = await nextOf(reader); entries.length > 0; entries = await nextOf(reader)) {
    const pictures: FileSystemEntry[] = [];
    for (const entry of entries) {
      const kind = kindOfName(entry.name);
      if (kind === 'hidden') continue;
      if (entry.isDirectory) folders.push(entry);
      else if (kind === 'picture') pictures.push(entry);
      else passedOver.push(entry.fullPath.slice(1));
    }
    for (const file of await Promise.all(pictures.map(fileOf))) if (file) files.push(file);
  }
  for (const one of folders) await collect(one, files, passedOver);
};

/** What was dropped: files as they are, of folders the pictures. To be called in the event itself: it is empty right after. */
export const droppedFiles = async ({ items, files: dropped }: DataTransfer): Promise<Selection> => {
  const entries = Array.from(items, (item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  const found = entries.filter((entry) => entry !== null);
  // A file that a page or a program made has no entry.
  if (!found.some((entry) => entry.isDirectory)) return chosenFiles(dropped);
  const files: File[] = [];
  const passedOver: string[] = [];
  for (const entry of found) {
    if (entry.isDirectory) await collect(entry, files, passedOver);
    else {
      const file = await fileOf(entry);
      if (file) files.push(file);
    }
  }
  return { files, passedOver };
};
