/** Locks need a secure context; without them this page knows of itself alone. */
const heldHere = new Set<string>();

const holdHere = (name: string): (() => void) | null => {
  if (heldHere.has(name)) return null;
  heldHere.add(name);
  return () => heldHere.delete(name);
};

/** Resolves with how to let go of what `name` stands for; null: somebody else holds it, perhaps in another tab. */
export const hold = (name: string): Promise<(() => void) | null> =>
  new Promise((resolve, reject) => {
    if (!('locks' in navigator)) {
      resolve(holdHere(name));
      return;
    }
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock) return new Promise<void>((release) => resolve(release));
        resolve(null);
        return undefined;
      })
      .catch(reject);
  });
