/** What systems leave in folders beside the pictures; nobody means to upload it. */
const isClutter = (name: string): boolean => /^(\.|thumbs\.db$|desktop\.ini$)/i.test(name);

/** The files of a folder that was chosen as one, without what lies in hidden folders. */
export const withoutClutter = (files: Iterable<File>): File[] =>
  [...files].filter((file) => !file.webkitRelativePath.split('/').some(isClutter));

const readFolder = (folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> => {
  const reader = folder.createReader();
  // It hands out a hundred or so at a time, and none at the end.
  const rest = (found: FileSystemEntry[]): Promise<FileSystemEntry[]> =>
    new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject)).then((more) =>
      more.length === 0 ? found : rest([...found, ...more]),
    );
  return rest([]);
};

/** What cannot be read (gone meanwhile, or not allowed) is left out. */
const filesOf = async (entry: FileSystemEntry): Promise<File[]> => {
  try {
    if (entry.isFile)
      return [
        await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
      ];
    const entries = await readFolder(entry as FileSystemDirectoryEntry);
    const wanted = entries.filter(({ name }) => !isClutter(name));
    return (await Promise.all(wanted.map(filesOf))).flat();
  } catch {
    return [];
  }
};

/** All files of a drop, those in folders included. To be called in the event itself: it is empty right after. */
export const droppedFiles = async ({ items, files }: DataTransfer): Promise<File[]> => {
  const entries = Array.from(items, (item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null));
  const found = entries.filter((entry) => entry !== null);
  // A file that a page or a program made has no entry.
  if (!found.some((entry) => entry.isDirectory)) return [...files];
  return (await Promise.all(found.map(filesOf))).flat();
};
