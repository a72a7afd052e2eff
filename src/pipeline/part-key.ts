import { v7 as uuidv7 } from 'uuid';
import { timeOf } from './image-id.ts';

/** What the keys of an installation's parts, and no others, begin with: another one may use the same storage. */
export const partPrefix = (installation: string): string => `uploads/${installation}/`;

/**
 * Where a part of an upload lies: `uploads/<installation>/<upload>.<part>`, no two alike. One flat folder, since there are
 * only ever the parts of unfinished uploads in it, and a folder for each upload would stay behind empty.
 */
export const partKey = (installation: string, uploadId: string): string =>
  `${partPrefix(installation)}${uploadId}.${uuidv7()}`;

const pattern =
  /^uploads\/(?:([0-9a-f-]{36})\/)?[0-9a-f-]{36}\.([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})$/;

export interface Part {
  /** Undefined for a part of a Gantry that did not say it. */
  readonly installation: string | undefined;
  /** When it was begun, ms since 1970. */
  readonly begunAt: number;
}

/** What the key of a part tells; undefined for a key that is no part's. */
export const partOf = (key: string): Part | undefined => {
  const [, installation, id] = pattern.exec(key) ?? [];
  return id === undefined ? undefined : { installation, begunAt: timeOf(id) };
};
