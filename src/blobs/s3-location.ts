import { BlobsUnavailable } from './blobs.ts';
import { isKeyPart } from './key.ts';

export interface S3Location {
  readonly bucket: string;
  /** In front of every key: empty, or names with a slash behind each. */
  readonly root: string;
  /** For messages. */
  readonly name: string;
}

/** Takes `s3://bucket/prefix` apart. Throws {@link BlobsUnavailable} with one line that repeats no password. */
export const s3Location = (text: string): S3Location => {
  const url = URL.parse(text);
  const bucket = url?.host ?? '';
  const parts = (url?.pathname ?? '').split('/').filter((part) => part !== '');
  const plain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url?.protocol !== 's3:' || !plain || !/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/.test(bucket)) {
    throw new BlobsUnavailable('the S3 URL is not of the form s3://bucket or s3://bucket/prefix');
  }
  if (!parts.every(isKeyPart)) {
    throw new BlobsUnavailable(
      'the prefix in the S3 URL may have letters, digits, `.`, `_`, `-` and `/` only',
    );
  }
  const root = parts.map((part) => `${part}/`).join('');
  return { bucket, root, name: `s3://${[bucket, ...parts].join('/')}` };
};
