import assert from 'node:assert/strict';
import { fetch } from './target.ts';

/** Requests of tus 1.0.0, as somebody would write them who has read the specification. */
const tus = { 'tus-resumable': '1.0.0' };
const partType = 'application/offset+octet-stream';

export const metadata = (name: string): string => `filename ${Buffer.from(name).toString('base64')}`;

/** `POST /uploads`; header values replace ours, and undefined leaves ours away. */
export const create = (
  url: string,
  length: number,
  headers: Readonly<Record<string, string | undefined>> = {},
  body?: Buffer<ArrayBuffer>,
): Promise<Response> => {
  const all = { ...tus, 'upload-length': String(length), ...headers };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return fetch(`${url}/uploads`, {
    method: 'POST',
    headers: { ...Object.fromEntries(given), ...(body && { 'content-type': partType }) },
    ...(body && { body }),
  });
};

/** The address of a new upload. */
export const created = async (url: string, length: number, name = 'file.png'): Promise<string> => {
  const response = await create(url, length, { 'upload-metadata': metadata(name) });
  assert.equal(response.status, 201, await response.text());
  return addressIn(url, response);
};

/** `Location` is relative to the request's own address. */
export const addressIn = (url: string, response: Response): string =>
  new URL(response.headers.get('location') ?? assert.fail('no Location'), `${url}/uploads`).href;

export const head = (upload: string): Promise<Response> => fetch(upload, { method: 'HEAD', headers: tus });

export const offsetOf = async (upload: string): Promise<number> => {
  const response = await head(upload);
  assert.equal(response.status, 200);
  return Number(response.headers.get('upload-offset'));
};

export const patch = (
  upload: string,
  offset: number | string,
  body: Buffer<ArrayBuffer> | ReadableStream,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(upload, {
    method: 'PATCH',
    headers: { ...tus, 'content-type': partType, 'upload-offset': String(offset), ...headers },
    body,
    ...(body instanceof ReadableStream && { duplex: 'half' }),
  } as RequestInit);

export const terminate = (upload: string): Promise<Response> =>
  fetch(upload, { method: 'DELETE', headers: tus });

export const imageIn = (response: Response): string =>
  response.headers.get('gantry-image-id') ?? assert.fail(`${response.status} without an image`);
