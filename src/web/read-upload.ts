import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { displayName, type ReceiveContext, type Refusal, receive } from '../pipeline/receive.ts';
import type { NewImage } from '../store/store.ts';
import { Problem } from './problem.ts';

const statusOf: Readonly<Record<Refusal['code'], number>> = {
  'unsupported-type': 415,
  'file-too-large': 413,
  'empty-file': 400,
};

/** The status that a file's refusal is answered with. */
export const statusOfRefusal = (code: string): number => statusOf[code as Refusal['code']] ?? 422;

/** Whether it is the code of a single file's refusal. */
export const isRefusalOfFile = (code: string): boolean => Object.hasOwn(statusOf, code);

export interface RefusedFile {
  readonly filename: string;
  readonly status: number;
  readonly code: Refusal['code'];
  readonly detail: string;
}
/** What one request brought. It grows while the request is read, so that its blobs can be found if it breaks off. */
export interface Upload {
  readonly images: NewImage[];
  readonly refused: RefusedFile[];
}

/** Form fields beside the files; nothing needs them, so more than a few are a mistake or an attack. */
const maxFields = 16;

/** RFC 2046, section 5.1.1: a boundary is no longer than 70 characters. */
const checkHeader = (request: FastifyRequest): void => {
  if (!request.isMultipart()) {
    throw new Problem(415, 'not-multipart', 'send multipart/form-data with the image in the field "image"');
  }
  const header = request.headers['content-type'] ?? '';
  const [, quoted, plain] = /boundary=(?:"([^"]*)"|([^;\s]*))/i.exec(header) ?? [];
  const { length } = quoted ?? plain ?? '';
  if (length === 0) throw new Problem(400, 'invalid-multipart', 'the Content-Type names no boundary');
  if (length > 70) {
    const detail = `the boundary has ${length} characters, the limit is 70 (RFC 2046)`;
    throw new Problem(400, 'invalid-multipart', detail);
  }
};

/** Turns what the multipart parser throws into what a client can act on. */
const asProblem = (error: unknown, maxFiles: number): unknown => {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const overLimit: Readonly<Record<string, string>> = {
    FST_FILES_LIMIT: `the request has more files than the limit of ${maxFiles}`,
    FST_PARTS_LIMIT: `the request has more parts than the limit of ${maxFiles + maxFields}`,
    FST_FIELDS_LIMIT: `the request has more fields beside its files than the limit of ${maxFields}`,
  };
  const detail = overLimit[code];
  if (detail !== undefined) return new Problem(413, 'too-many-parts', detail, { cause: error });
  // Busboy's own errors have no code, only these words.
  if (
    /multipart|end of form|malformed|part header|unexpected end/i.test(message) &&
    !code.startsWith('FST_')
  ) {
    return new Problem(400, 'invalid-multipart', `the multipart body is malformed: ${message}`, {
      cause: error,
    });
  }
  return error;
};

/**
 * Reads a multipart request to its end and receives every file in the field `image` into `upload`: a refused one
 * does not hinder its neighbours. Throws a {@link Problem} if the request is malformed or has no file at all; what
 * is in `upload.images` by then is the caller's to discard.
 */
export const readUpload = async (
  request: FastifyRequest,
  receiving: ReceiveContext,
  maxFiles: number,
  upload: Upload,
): Promise<void> => {
  checkHeader(request);
  const receiveFile = async ({ file, filename }: MultipartFile): Promise<void> => {
    const received = await receive(receiving, file, filename);
    if (received.kind === 'received') {
      upload.images.push(received.image);
      return;
    }
    const { code, detail } = received;
    upload.refused.push({ filename: displayName(filename), status: statusOf[code], code, detail });
  };

  const limits = {
    files: maxFiles,
    fields: maxFields,
    parts: maxFiles + maxFields,
    fileSize: Number.POSITIVE_INFINITY,
    headerPairs: 100,
  };
  let otherField: string | undefined;
  try {
    for await (const part of request.parts({ limits })) {
      if (part.type !== 'file') continue;
      if (part.fieldname === 'image') await receiveFile(part);
      else {
        otherField = part.fieldname;
        part.file.resume();
      }
    }
  } catch (error) {
    // Whatever of the request nobody will read must not keep its connection open.
    request.raw.unpipe();
    request.raw.resume();
    throw asProblem(error, maxFiles);
  }
  if (upload.images.length + upload.refused.length === 0) {
    const found =
      otherField === undefined
        ? 'has no file'
        : `has a file in the field ${JSON.stringify(otherField.slice(0, 100))}`;
    throw new Problem(400, 'no-image', `the request ${found}; send at least one in the field "image"`);
  }
};
