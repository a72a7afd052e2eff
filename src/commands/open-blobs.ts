import type { Blobs } from '../blobs/blobs.ts';
import { filesystemBlobs } from '../blobs/filesystem.ts';
import type { Config } from '../config.ts';
import type { ImageSource } from '../consumer/worker-pool.ts';
import { writableFolder } from './data-folder.ts';

/** The SDK takes 60 MB and a moment to load: only where it is used. */
const openS3 = async ({ s3Endpoint, s3Region }: Config, url: string) => {
  const { s3Blobs } = await import('../blobs/s3.ts');
  return s3Blobs({ url, region: s3Region, ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }) });
};

const openStorage = async (config: Config) =>
  config.s3Url === undefined ? filesystemBlobs(config.imagesDir) : openS3(config, config.s3Url);

/** The images' storage for who looks or tidies: S3 where `s3Url` is set. Writes nothing by itself. */
export const openBlobs = (config: Config): Promise<Blobs> => openStorage(config);

/** The images' storage for a server that takes uploads. Throws BlobsUnavailable and StartError. */
export const openBlobsForUploads = async (config: Config): Promise<Blobs> => {
  if (config.s3Url === undefined) writableFolder(config.imagesDir);
  const blobs = await openStorage(config);
  await blobs.prepare();
  return blobs;
};

/** Where worker processes read originals: the folder, or S3 by signed URLs, so that they need no credentials. */
export const imageSource = async (config: Config): Promise<ImageSource> => {
  if (config.s3Url === undefined) return { kind: 'folder', dir: config.imagesDir };
  const blobs = await openS3(config, config.s3Url);
  return { kind: 'urls', urlOf: blobs.presignedUrl };
};
