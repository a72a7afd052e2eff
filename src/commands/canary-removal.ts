import { createHash, randomUUID } from 'node:crypto';
import { ClientError, type GantryClient, type Image, persistently } from '../client/client.ts';

/** Beyond the timeout: what was uploaded should not stay only because the check took long. */
const deletionMs = 10_000;

/** Deletes the image; undefined once it is gone, else what hinders it. */
export const removed = async (server: GantryClient, id: string): Promise<ClientError | undefined> => {
  const signal = AbortSignal.timeout(deletionMs);
  try {
    await persistently(() => server.remove(id, signal), signal);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return error.code === 'not-found' ? undefined : error;
  }
  return undefined;
};

/** The name that a picture goes by which nobody wants to keep. */
export const passing = (name: string): string => `gantry-canary-${name}`;
const [hourMs, weekMs] = [3600e3, 7 * 86400e3];

/**
 * Removes what canaries of the last week have left: killed before they could delete it, or never told its ID. Only
 * those that no canary can be waiting for any more; what cannot be removed is left to the next.
 */
export const clearUp = async (
  server: GantryClient,
  { name, content }: { readonly name: string; readonly content: Uint8Array },
  { createdAt }: Image,
  timeoutMs: number,
): Promise<void> => {
  const now = Date.parse(createdAt);
  const iso = (ms: number): string => new Date(now - ms).toISOString();
  const sha256 = createHash('sha256').update(content).digest('hex');
  const left = {
    sha256,
    text: passing(name),
    from: iso(weekMs),
    until: iso(Math.max(hourMs, 2 * timeoutMs)),
  };
  const signal = AbortSignal.timeout(deletionMs);
  try {
    const { images } = await server.page(left, { signal });
    for (const image of images) if (image.filename === passing(name)) await server.remove(image.id, signal);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
  }
};

/** Rejects if nothing may be deleted: of every canary that cannot clear up after itself an image would stay. */
export const checkRemoval = async (server: GantryClient, signal: AbortSignal): Promise<void> => {
  await server.remove(randomUUID(), signal).catch((error) => {
    if (!(error instanceof ClientError && error.code === 'not-found')) throw error;
  });
};
