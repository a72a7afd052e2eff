import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { BlobMissing, type Blobs, BlobsUnavailable } from './blobs.ts';
import { checkedKey, isKeyPart } from './key.ts';
import { isAnswer, isMissing, reasonOf, withoutCredentials } from './s3-fault.ts';
import { s3Location } from './s3-location.ts';

export interface S3Blobs extends Blobs {
  /**
   * For the process that writes, once, before its first `put`: finds out whether the bucket is there and can be
   * written to, leaving nothing in it. Throws {@link BlobsUnavailable}.
   */
  prepare(): Promise<void>;
  /**
   * A URL under which anybody can read the blob for `seconds` (604,800 at most), or less if our credentials end
   * earlier. Whether there is such a blob, nobody looks. Throws {@link BlobsUnavailable} if there are no credentials.
   */
  presignedUrl(key: string, seconds: number): Promise<string>;
  /** Closes the connections; nothing may be under way. */
  close(): void;
}

export interface S3Options {
  /** `s3://bucket` or `s3://bucket/prefix`. */
  readonly url: string;
  /** Of a server other than AWS; the bucket then stands in the path. */
  readonly endpoint?: string;
  readonly region: string;
  readonly connectTimeoutMs?: number;
  /** Without a byte either way. */
  readonly idleTimeoutMs?: number;
}

const partBytes = 8 * 2 ** 20;
const partsAtOnce = 2;
/** Downloads by slow clients hold connections too, and must not keep uploads waiting. */
const maxSockets = 256;
/** Readiness waits for it, retries included. */
const probeTimeoutMs = 10_000;
/** No key: an entry of its own in the server's list of unfinished uploads, for a moment. */
const writeCheck = '.write-check';

const createClient = ({ endpoint, region, connectTimeoutMs = 5_000, idleTimeoutMs = 30_000 }: S3Options) =>
  new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    retryMode: 'standard',
    maxAttempts: 3,
    // It would open a connection for every part, and some servers that speak S3 never answer it.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: idleTimeoutMs,
      httpAgent: { maxSockets },
      httpsAgent: { maxSockets },
    },
  });

/**
 * Blobs as objects of an S3 bucket. Credentials come from the SDK's default chain. An upload is held in memory in at
 * most four pieces of 8 MiB; what fits into one is stored by one request. `put` resolves once the server has answered
 * 200 to that, or to the completion of all parts, which is what S3 promises durability for. An upload whose answer
 * got lost may have stored the blob although `put` rejects. A bad key is refused with `InvalidBlobKey`, a bad
 * `options.url` with {@link BlobsUnavailable}.
 */
export const s3Blobs = (options: S3Options): S3Blobs => {
  const { bucket: Bucket, root, name } = s3Location(options.url);
  const host = options.endpoint === undefined ? 'S3' : (URL.parse(options.endpoint)?.host ?? 'the endpoint');
  const client = createClient(options);
  const objectOf = (key: string) => ({ Bucket, Key: root + checkedKey(key) });

  const unavailable = (what: string, error: unknown): BlobsUnavailable =>
    new BlobsUnavailable(`cannot ${what} in ${name}: ${reasonOf(error, host)}`, {
      cause: withoutCredentials(error),
    });
  const asking = <T>(what: string, request: Promise<T>): Promise<T> =>
    request.catch((error) => {
      throw unavailable(what, error);
    });

  /** Cheap while all is well. A HEAD is refused without a reason, so then the reason is asked for. */
  const reach = async (what: string): Promise<void> => {
    const abortSignal = AbortSignal.timeout(probeTimeoutMs);
    try {
      await client.send(new HeadBucketCommand({ Bucket }), { abortSignal });
    } catch (error) {
      if (!isAnswer(error)) throw unavailable(what, error);
      const listing = new ListObjectsV2Command({ Bucket, Prefix: root, MaxKeys: 1 });
      await asking(what, client.send(listing, { abortSignal }));
    }
  };

  const open = async (key: string): Promise<{ stream: Readable; bytes: number }> => {
    const { Body, ContentLength } = await client.send(new GetObjectCommand(objectOf(key))).catch((error) => {
      throw isMissing(error) ? new BlobMissing(key) : unavailable(`read ${key}`, error);
    });
    if (!(Body instanceof Readable) || ContentLength === undefined) {
      throw unavailable(`read ${key}`, new Error('an answer without a body'));
    }
    const told = async function* () {
      try {
        yield* Body;
      } catch (error) {
        throw unavailable(`read ${key}`, error);
      }
    };
    const stream = Readable.from(told());
    // A stream that is let go before its first byte never begins to read, so that nothing else frees the connection.
    stream.once('close', () => Body.destroy());
    return { stream, bytes: ContentLength };
  };

  return {
    prepare: async () => {
      const Key = `${root}${writeCheck}`;
      await reach('store blobs');
      const begun = client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const { UploadId } = await asking('store blobs', begun);
      await asking('store blobs', client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })));
    },

    put: async (key, source) => {
      const params = objectOf(key);
      let broken: { readonly error: unknown } | undefined;
      const watched = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* source;
        } catch (error) {
          // After a fault of the storage the source only hears that nobody reads it any more.
          if (!body.destroyed) broken = { error };
          throw error;
        }
      };
      const body = Readable.from(watched());
      const upload = new Upload({
        client,
        params: { ...params, Body: body },
        partSize: partBytes,
        queueSize: partsAtOnce,
      });
      try {
        await upload.done();
      } catch (error) {
        throw broken ? broken.error : unavailable(`write ${key}`, error);
      } finally {
        body.destroy();
      }
    },

    read: async (key) => {
      const { stream, bytes } = await open(key);
      const chunks: Uint8Array[] = await stream.toArray();
      return Buffer.concat(chunks, bytes);
    },

    open,

    remove: async (key) => {
      await client.send(new DeleteObjectCommand(objectOf(key))).catch((error) => {
        if (!isMissing(error)) throw unavailable(`remove ${key}`, error);
      });
    },

    list: async function* list(prefix) {
      // A key has no empty part, nor one that begins with a dot; some servers refuse to list such a thing.
      if (
        !prefix
          .split('/')
          .every((part, index, { length }) => isKeyPart(part) || (part === '' && index === length - 1))
      )
        return;
      let token: string | undefined;
      do {
        const page: ListObjectsV2CommandOutput = await asking(
          'list blobs',
          client.send(new ListObjectsV2Command({ Bucket, Prefix: root + prefix, ContinuationToken: token })),
        );
        for (const { Key = '' } of page.Contents ?? []) {
          const key = Key.slice(root.length);
          if (key.split('/').every(isKeyPart)) yield key;
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
        // Half a listing would make the other half look lost.
        if (page.IsTruncated && token === undefined) {
          throw unavailable('list blobs', new Error('a listing that breaks off'));
        }
      } while (token !== undefined);
    },

    freeBytes: async () => {
      await reach('store blobs');
      return undefined;
    },

    presignedUrl: async (key, seconds) => {
      const command = new GetObjectCommand(objectOf(key));
      return asking(`sign a URL of ${key}`, getSignedUrl(client, command, { expiresIn: seconds }));
    },

    close: () => client.destroy(),
  };
};
