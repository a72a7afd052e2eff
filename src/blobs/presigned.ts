import { BlobMissing, BlobsUnavailable } from './blobs.ts';

/** A blob as a process without credentials asks for it. The URL is a secret: it stands in no error. */
export interface PresignedBlob {
  readonly key: string;
  readonly url: string;
  /** What the blob is known to have; more is never taken into memory. */
  readonly bytes: number;
}

const attempts = 2;
const longestAnswerOfFault = 64 * 1024;

class Oversized extends Error {}

/** The body as a whole; throws {@link Oversized} as soon as it passes `limit`. */
const collect = async ({ body, headers }: Response, limit: number): Promise<Buffer> => {
  if (Number(headers.get('content-length') ?? 0) > limit) {
    await body?.cancel();
    throw new Oversized();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > limit) throw new Oversized();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
};

/** The code in an S3 server's description of a fault, such as `NoSuchKey`. */
const faultOf = async (response: Response): Promise<string | undefined> => {
  const text = await collect(response, longestAnswerOfFault).catch(() => '');
  return /<Code>(\w+)<\/Code>/.exec(text.toString())?.[1];
};

const noAnswer = 'no answer in time';

/** What a failed fetch says, as far as it does not repeat the URL. */
const reasonOf = (error: unknown): string => {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown; message?: unknown } };
  if (name === 'TimeoutError') return noAnswer;
  const said = [cause?.code, cause?.message, name].find(
    (one) => typeof one === 'string' && !/[/?]/.test(one),
  );
  return String(said ?? 'fetch failed');
};

const unavailable = (key: string, why: string) =>
  new BlobsUnavailable(`cannot read ${key} over HTTP: ${why}`);

const fetchOnce = async ({ key, url, bytes }: PresignedBlob, signal: AbortSignal): Promise<Buffer> => {
  let response: Response;
  try {
    response = await fetch(url, { redirect: 'manual', signal, headers: { 'accept-encoding': 'identity' } });
    if (response.status === 200) return await collect(response, bytes);
  } catch (error) {
    if (error instanceof Oversized) throw new Error(`it is larger than the ${bytes} bytes that were stored`);
    throw unavailable(key, reasonOf(error));
  }
  const { status } = response;
  const fault = await faultOf(response);
  // Any other 404, such as a proxy's or that of a bucket which is gone, says nothing about this blob.
  if (status === 404 && fault === 'NoSuchKey') throw new BlobMissing(key);
  throw unavailable(key, `status ${status}${fault ? ` ${fault}` : ''}`);
};

/**
 * Reads blobs under presigned URLs, each within `limitMs`, and gives up at once when that was waited for twice in
 * all: who has a deadline for a batch of blobs keeps a third of it if `limitMs` is a third. Needs no S3 library, which
 * would cost a worker process memory and time to start. Throws {@link BlobMissing}, or {@link BlobsUnavailable} for
 * whatever else the storage answers, a refused signature included.
 */
export const presignedReader = (limitMs: number): ((blob: PresignedBlob) => Promise<Buffer>) => {
  let leftMs = 2 * limitMs;
  return async (blob) => {
    if (leftMs <= 0) throw unavailable(blob.key, noAnswer);
    const begun = performance.now();
    const signal = AbortSignal.timeout(Math.ceil(Math.min(limitMs, leftMs)));
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await fetchOnce(blob, signal);
        } catch (error) {
          if (!(error instanceof BlobsUnavailable) || attempt === attempts || signal.aborted) throw error;
        }
      }
    } finally {
      leftMs -= performance.now() - begun;
    }
  };
};
