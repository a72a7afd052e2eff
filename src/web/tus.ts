import type { FastifyRequest } from 'fastify';
import { displayName } from '../pipeline/receive.ts';
import { Problem } from './problem.ts';

/** What is spoken here: https://tus.io/protocols/resumable-upload, core and these extensions. */
export const tusVersion = '1.0.0';
export const tusExtensions = 'creation,creation-with-upload,termination,expiration';
/** The type of a body that is a piece of a file. */
export const partType = 'application/offset+octet-stream';

const invalid = (detail: string): Problem => new Problem(400, 'invalid-upload', detail);

const headerOf = ({ headers }: FastifyRequest, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join() : value;
};

/** Throws the problem with which a client of another version, or none, is turned away. */
export const checkVersion = (request: FastifyRequest): void => {
  const version = headerOf(request, 'tus-resumable');
  if (version === tusVersion) return;
  const found = version === undefined ? 'has none' : `has ${JSON.stringify(version.slice(0, 20))}`;
  throw new Problem(
    412,
    'tus-version',
    `send the header Tus-Resumable: ${tusVersion}; the request ${found}`,
    {
      headers: { 'tus-version': tusVersion },
    },
  );
};

/** A header that is a whole number of bytes. Throws the problem if it is missing or no such number. */
export const bytesIn = (request: FastifyRequest, name: string): number => {
  const value = headerOf(request, name.toLowerCase());
  if (value === undefined) throw invalid(`the header ${name} is missing`);
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw invalid(`${name} takes a whole number of bytes, not ${JSON.stringify(value.slice(0, 40))}`);
};

/** Length of the whole file that a new upload announces, in bytes. Throws the problem. */
export const announcedLength = (request: FastifyRequest): number => {
  if (headerOf(request, 'upload-defer-length') !== undefined)
    throw invalid('Upload-Defer-Length is not supported here: say the Upload-Length');
  return bytesIn(request, 'Upload-Length');
};

const decoded = (key: string, text: string): string => {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is no Base64.
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, ''))
    throw invalid(`Upload-Metadata: the value of ${key} is no Base64`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Problem(400, 'invalid-upload', `Upload-Metadata: the value of ${key} is no UTF-8`, { cause });
  }
};

/** The file's name, safe to show, from `Upload-Metadata`; other keys are ignored. Throws the problem. */
export const announcedName = (request: FastifyRequest): string => {
  const header = headerOf(request, 'upload-metadata')?.trim() ?? '';
  const names = new Map<string, string>();
  for (const pair of header === '' ? [] : header.split(',')) {
    const [key = '', value = '', ...rest] = pair.trim().split(' ');
    if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(key) || rest.length > 0)
      throw invalid('Upload-Metadata takes pairs of a key and a Base64 value, separated by commas');
    if (names.has(key)) throw invalid(`Upload-Metadata has the key ${key} twice`);
    names.set(key, decoded(key, value));
  }
  return displayName(names.get('filename') ?? names.get('name'));
};
