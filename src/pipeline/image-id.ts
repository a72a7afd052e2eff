/** Milliseconds since 1970 that a UUIDv7 begins with (RFC 9562, section 5.7). Throws TypeError if it is none. */
export const timeOf = (id: string): number => {
  if (id[14] !== '7') throw new TypeError(`no UUIDv7: ${id}`);
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
};

/** Where an original lies: `2026/11/23/<id>.jpg`, sharded by the day (UTC) in the ID, so that it is always the same. */
export const blobKey = (id: string, ending: string): string =>
  `${new Date(timeOf(id)).toISOString().slice(0, 10).replaceAll('-', '/')}/${id}.${ending}`;

const keyPattern =
  /^\d{4}\/\d\d\/\d\d\/([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})\.[a-z]+$/;

/** The image that an original belongs to, by its key; undefined for a key that is none of ours. */
export const idOfBlob = (key: string): string | undefined => keyPattern.exec(key)?.[1];
