import { fileTypeFromBuffer } from 'file-type';

/** Types taken, by their bytes: the content type that images carry, and the ending of their blobs' keys. */
const accepted: Readonly<Record<string, readonly [contentType: string, ending: string]>> = {
  'image/jpeg': ['image/jpeg', 'jpg'],
  'image/png': ['image/png', 'png'],
  'image/apng': ['image/png', 'png'],
  'image/webp': ['image/webp', 'webp'],
  'image/gif': ['image/gif', 'gif'],
  'image/tiff': ['image/tiff', 'tiff'],
  'image/avif': ['image/avif', 'avif'],
};
export const acceptedTypes: readonly string[] = [
  ...new Set(Object.values(accepted).map(([contentType]) => contentType)),
];
export const acceptedNames = 'JPEG, PNG, WebP, GIF, TIFF or AVIF';

/** file-type looks at no more than this. */
export const headBytes = 4100;

export type ImageType =
  | { readonly kind: 'image'; readonly contentType: string; readonly ending: string }
  /** `found`: what it is instead, if that is known. */
  | { readonly kind: 'unsupported'; readonly found: string | undefined };

/** What a file is, by its first {@link headBytes} bytes. */
export const imageType = async (head: Buffer): Promise<ImageType> => {
  const known = (await fileTypeFromBuffer(head))?.mime;
  // A TIFF's directory may lie at its end (TIFF 6.0, section 2); file-type gives up if that is beyond the head.
  const tiff = ['II*\0', 'MM\0*'].includes(head.toString('latin1', 0, 4));
  const found = known ?? (tiff ? 'image/tiff' : undefined);
  const [contentType, ending] = accepted[found ?? ''] ?? [];
  if (contentType === undefined || ending === undefined) return { kind: 'unsupported', found };
  return { kind: 'image', contentType, ending };
};
