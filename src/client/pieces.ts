import { pieceBytes } from '../pipeline/piece.ts';
import type { AcceptedImage, UploadAnswer } from './answers.ts';
import { ClientError } from './errors.ts';
import { type Requests, uploadIdle } from './requests.ts';
import type { UploadOptions } from './upload.ts';

const tus = { 'tus-resumable': '1.0.0' };
/** What a server answers, or a proxy before it, that does not know `/uploads` or its methods. */
const unknownThere = new Set([404, 405, 501]);

/** `content` from `start` on, as a stream that tells how far it has been handed over. */
const counted = (piece: Blob, onBytes: (bytes: number) => void): ReadableStream<Uint8Array> => {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      onBytes(bytes);
      controller.enqueue(chunk);
    },
  });
  return piece.stream().pipeThrough(counter);
};

/**
 * One file to `/uploads` (tus), a piece a request, from where the upload that this key began stands at the server.
 * Undefined if the server takes no pieces. Throws ClientError; called again with the same key it goes on.
 */
export const uploadInPieces = async (
  { send, read, stranger }: Requests,
  { name, content }: { readonly name: string; readonly content: Blob },
  idempotencyKey: string,
  { signal, onSent, onKept }: UploadOptions,
): Promise<AcceptedImage | undefined> => {
  const request = async (
    method: string,
    path: string,
    init: RequestInit & { duplex?: 'half' },
    idle = uploadIdle(),
  ) => {
    const response = await send(method, path, { ...init, ...(signal ? { signal } : {}) }, idle).finally(
      idle.stop,
    );
    const offset = Number(response.headers.get('upload-offset') ?? Number.NaN);
    if (!(offset >= 0 && offset <= content.size)) throw stranger();
    onKept?.(offset);
    return { response, offset };
  };
  /** Where it stands, and the image once there is one. */
  const ask = async () => {
    const headers = {
      ...tus,
      'idempotency-key': idempotencyKey,
      'upload-length': String(content.size),
      'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
    };
    const { response, offset } = await request('POST', '/uploads', { headers });
    // Only its last part: no answer sends a key to another server.
    const id = response.headers.get('location')?.split('/').at(-1) ?? '';
    const [image] = response.status === 200 ? (await read<UploadAnswer>(response)).images : [];
    return { path: `/uploads/${encodeURIComponent(id)}`, offset, image };
  };
  const sendPiece = async (path: string, at: number): Promise<number> => {
    const piece = content.slice(at, at + pieceBytes);
    const idle = uploadIdle();
    const body = counted(piece, (bytes) => {
      idle.moved();
      onSent?.(at + bytes);
    });
    const headers = {
      ...tus,
      'content-type': 'application/offset+octet-stream',
      'content-length': String(piece.size),
      'upload-offset': String(at),
    };
    const { offset } = await request('PATCH', path, { headers, body, duplex: 'half' }, idle);
    return offset > at ? offset : Promise.reject(stranger());
  };
  try {
    for (let last = -1; ; ) {
      const { path, offset, image } = await ask();
      if (image !== undefined) return image;
      if (offset <= last) throw stranger();
      for (last = offset; last < content.size; ) last = await sendPiece(path, last);
    }
  } catch (error) {
    if (error instanceof ClientError && unknownThere.has(error.status ?? 0)) return undefined;
    throw error;
  }
};
