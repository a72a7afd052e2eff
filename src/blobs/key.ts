/** A key that could lead elsewhere than to a blob of ours. No key we make is one, so this is a bug or an attack. */
export class InvalidBlobKey extends Error {
  readonly code = 'invalid-blob-key';
}

// Allowed characters rather than forbidden ones: no dot in front also rules out `..` and hidden files.
const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** Whether a name may stand between the slashes of a key. */
export const isKeyPart = (name: string): boolean => segment.test(name);

/** Returns the key if every part between its slashes is a plain name. Throws {@link InvalidBlobKey}. */
export const checkedKey = (key: string): string => {
  if (key.length <= 512 && key.split('/').every(isKeyPart)) return key;
  throw new InvalidBlobKey(`${JSON.stringify(key.slice(0, 100))} is no blob key`);
};
