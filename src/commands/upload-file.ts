import { createHash, randomUUID } from 'node:crypto';
import {
  type AcceptedImage,
  ClientError,
  type GantryClient,
  type Image,
  persistently,
} from '../client/client.ts';
import { largeBytes } from '../pipeline/piece.ts';
import type { BegunUploads } from './begun-uploads.ts';
import type { Outage } from './outage.ts';
import { type Source, stdin } from './upload-sources.ts';

/**
 * What became of a file. `known`: the server has it already; `refused`: the server does not want it; `unreadable`: it
 * cannot be read here; `left`: not uploaded, because of a signal or a server that is away.
 */
export interface Sending {
  readonly file: string;
  readonly outcome: 'accepted' | 'known' | 'refused' | 'unreadable' | 'left';
  readonly id: string | null;
  readonly sha256: string | null;
  /** As the server had it, if it is known. */
  readonly image: Image | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface SendContext {
  readonly server: GantryClient;
  readonly outage: Outage;
  /** No new request begins after it. */
  readonly stop: AbortSignal;
  /** Requests on their way are broken off. */
  readonly breakOff: AbortSignal;
  /** Whether files that the server has are recognised. */
  readonly recognise: boolean;
  /** Files on their way, by their SHA-256: the same file twice in one run is sent once. */
  readonly underway: Map<string, Promise<Sending>>;
  readonly maxFileBytes: number;
  /** What earlier runs have begun, and where it is. */
  readonly begun: BegunUploads;
  readonly serverUrl: string;
  readonly onSent: (source: Source, bytes: number) => void;
  /** Of a file that goes in pieces: so much of it is with the server. */
  readonly onKept: (source: Source, bytes: number) => void;
}

/** The upload that an earlier run began is not there any more. */
const notThere = new Set([404, 410]);
/** Refusals of this one file; whatever else is wrong is so for every file. */
const ofFile = new Set([400, 413, 415, 422]);

const sha256Of = async (content: Blob): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of content.stream()) hash.update(chunk);
  return hash.digest('hex');
};

type Become = (outcome: Sending['outcome'], more?: Partial<Sending>) => Sending;

const because = ({ code, message }: { code: string; message: string }) => ({ error: { code, message } });

const sendContent = async (
  source: Source,
  { content, sha256 }: { content: Blob; sha256: string },
  become: Become,
  { server, outage, stop, breakOff, begun, ...context }: SendContext,
): Promise<Sending> => {
  let retried = false;
  let answered = false;
  const tried = async <T>(call: () => Promise<T>): Promise<T> => {
    const result = await persistently(call, AbortSignal.any([stop, outage.over]), (error) => {
      retried = true;
      outage.failed(error);
    });
    outage.worked();
    return result;
  };
  /**
   * Bytes flow again: asks whether it is the server that takes them, whose own answer may be long in coming. Believed
   * once a file: an upload that fails each time is not to be tried for ever.
   */
  const flowing = async (): Promise<void> => {
    if (!retried || answered) return;
    retried = false;
    await server.health(breakOff);
    answered = true;
    outage.worked();
  };
  const file = { server: context.serverUrl, sha256, bytes: content.size };
  const inPieces = content.size > largeBytes && source.path !== stdin;
  const forget = async (): Promise<void> => {
    if (inPieces) await begun.forget(file);
  };
  const send = (key: string, noted: boolean): Promise<AcceptedImage> => {
    const options = {
      idempotencyKey: key,
      signal: breakOff,
      onSent(bytes: number) {
        flowing().catch(() => undefined);
        context.onSent(source, bytes);
      },
      onKept: (bytes: number) => {
        outage.worked();
        context.onKept(source, bytes);
        if (inPieces && !noted) void begun.note(file, key);
        noted = true;
      },
    };
    return tried(() => server.upload({ name: source.name, content }, options));
  };
  try {
    if (context.recognise) {
      const known = () => server.page({ sha256 }, { limit: 1, signal: breakOff });
      const [image] = (await tried(known)).images;
      if (image) {
        await forget();
        return become('known', { id: image.id, image });
      }
    }
    if (stop.aborted) return become('left');
    const before = inPieces ? await begun.keyOf(file) : undefined;
    const { id } = await send(before ?? randomUUID(), before !== undefined).catch(async (error: unknown) => {
      if (before === undefined || !(error instanceof ClientError) || !notThere.has(error.status ?? 0))
        throw error;
      // It became an image that was deleted since.
      await forget();
      return send(randomUUID(), false);
    });
    await forget();
    return become('accepted', { id });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (ofFile.has(error.status ?? 0)) {
      await forget();
      return become('refused', because(error));
    }
    if (stop.aborted || breakOff.aborted || outage.over.aborted) return become('left', because(error));
    throw error;
  }
};

/**
 * Uploads one file, unless the server has it; a server that is away is tried until `outage.over`. Throws ClientError for
 * what every other file would meet, too: a key that may not, a full disk.
 */
export const sendFile = async (source: Source, context: SendContext): Promise<Sending> => {
  const { path: file } = source;
  let sha256: string | null = null;
  const become: Become = (outcome, more = {}) => ({
    ...{ file, outcome, id: null, sha256, image: null, error: null },
    ...more,
  });

  if (source.bytes > context.maxFileBytes) {
    const message = `${source.bytes} bytes are more than the ${context.maxFileBytes} that the server takes`;
    return become('refused', because({ code: 'file-too-large', message }));
  }
  let content: Blob;
  let digest: string;
  try {
    content = await source.open();
    digest = await sha256Of(content);
    sha256 = digest;
  } catch (error) {
    return become('unreadable', because({ code: 'unreadable', message: (error as Error).message }));
  }
  const twin = context.underway.get(digest);
  const sending = (async () => {
    // Its own outcome is asked of the server then, as for any file that was uploaded before.
    await twin?.catch(() => undefined);
    return sendContent(source, { content, sha256: digest }, become, context);
  })();
  context.underway.set(digest, sending);
  return sending.finally(() => {
    if (context.underway.get(digest) === sending) context.underway.delete(digest);
  });
};
