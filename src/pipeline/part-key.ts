import { v7 as uuidv7 } from 'uuid';
import { timeOf } from './image-id.ts';

/** What the keys of parts, and no others, begin with. */
export const partPrefix = 'uploads/';

/**
 * Where a part of an upload lies: `uploads/<upload>.<part>`, no two alike. One flat folder, since there are only ever
 * the parts of unfinished uploads in it, and a folder for each upload would stay behind empty.
 */
export const partKey = (uploadId: string): string => `${partPrefix}${uploadId}.${uuidv7()}`;

const pattern = /^uploads\/[0-9a-f-]{36}\.([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** When a part was begun (ms since 1970), by its key; undefined for a key that is no part's. */
export const partTime = (key: string): number | undefined => {
  const id = pattern.exec(key)?.[1];
  return id === undefined ? undefined : timeOf(id);
};
