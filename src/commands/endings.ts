import { ClientError, type GantryClient, type Image, persistently } from '../client/client.ts';

const atOnce = 8;

/**
 * Waits until each of the images has ended, or the signal; `onEnd` is told of each, with null for one that was deleted.
 * `onLost` is told when the server goes away, which is waited for. Throws ClientError for what does not pass.
 */
export const awaitEndings = async (
  server: GantryClient,
  ids: Iterable<string>,
  options: {
    readonly signal: AbortSignal;
    readonly onEnd: (id: string, image: Image | null) => void;
    readonly onLost: (error: ClientError) => void;
  },
): Promise<void> => {
  const waiting = new Set(ids);
  if (waiting.size === 0) return;
  const done = new AbortController();
  const stop = AbortSignal.any([options.signal, done.signal]);
  const see = (id: string, image: Image | null): void => {
    if (image !== null && (image.state === 'queued' || image.state === 'processing')) return;
    if (!waiting.delete(id)) return;
    options.onEnd(id, image);
    if (waiting.size === 0) done.abort();
  };
  const ask = async (id: string): Promise<void> => {
    try {
      see(id, await persistently(() => server.image(id, stop), stop));
    } catch (error) {
      if (stop.aborted) return;
      if (!(error instanceof ClientError) || error.code !== 'not-found') throw error;
      see(id, null);
    }
  };
  /** Whatever ended before the stream stood. */
  const look = async (): Promise<void> => {
    const ids = [...waiting].values();
    const worker = async () => {
      for (const id of ids) if (waiting.has(id)) await ask(id);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  };
  let looking = Promise.resolve();
  const onOpen = (): void => {
    looking = looking.then(look);
    looking.catch(() => done.abort());
  };
  for await (const { id, image } of server.events({ signal: stop, onOpen, onLost: options.onLost })) {
    if (waiting.has(id)) see(id, image);
  }
  await looking;
};
