import { after, before } from 'node:test';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { type S3Server, s3Missing, startS3 } from '../../test/services/s3.ts';
import { type S3Blobs, type S3Options, s3Blobs } from './s3.ts';

/**
 * For a test file: an S3 server of its own, whose credentials this process has in its environment. `skip` says why
 * there is none; then nothing is started and nothing may be called.
 */
export const s3Harness = () => {
  const skip = s3Missing();
  let server: S3Server | undefined;
  let client: S3Client | undefined;
  const opened: S3Blobs[] = [];
  const running = (): S3Server => {
    if (server === undefined) throw new Error('the S3 server is not started');
    return server;
  };
  if (skip === false) {
    before(async () => {
      server = await startS3();
      Object.assign(process.env, server.env);
      client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true });
    });
    after(async () => {
      for (const blobs of opened) blobs.close();
      client?.destroy();
      await server?.dispose();
    });
  }
  return {
    skip,
    server: running,
    /** A client of the SDK, for what blobs cannot do. */
    client: (): S3Client => client ?? (running() as never),
    /** Blobs in this bucket, or in one of their own. */
    open: async (options: Partial<S3Options> = {}): Promise<S3Blobs> => {
      const { endpoint } = running();
      const blobs = s3Blobs({ endpoint, region: 'us-east-1', url: await running().bucket(), ...options });
      opened.push(blobs);
      return blobs;
    },
    /** Uploads in a bucket that were begun and neither completed nor aborted: invisible, but paid for. */
    unfinished: async (url: string): Promise<number> => {
      const command = new ListMultipartUploadsCommand({ Bucket: new URL(url).host });
      const { Uploads = [] } = (await client?.send(command)) ?? {};
      return Uploads.length;
    },
  };
};
