import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where `npm test` puts the servers that it builds. */
const built = fileURLToPath(new URL('../../node_modules/.cache/gantry/', import.meta.url));

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** A server's path: what the variable says, in PATH, or built by `npm test`; undefined if it is nowhere. */
export const findProgram = (name: string, variable: string): string | undefined => {
  const given = process.env[variable];
  if (given) return given;
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, built].map((folder) => join(folder, name)).find(isProgram);
};
