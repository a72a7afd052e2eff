import { randomUUID } from 'node:crypto';

/** As forms in browsers name files (WHATWG HTML, multipart/form-data). */
const quoted = (name: string): string =>
  name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');

/**
 * One file as the body of `POST /upload`. Nothing is read before it is sent, whatever its size: `content` may be a
 * file's own Blob. `onSent` is told how many of the file's bytes have been handed over.
 */
export const uploadForm = (
  name: string,
  content: Blob | Uint8Array<ArrayBuffer>,
  onSent: (bytes: number) => void,
): { body: ReadableStream<Uint8Array>; headers: Record<string, string> } => {
  const boundary = `gantry-${randomUUID()}`;
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="${quoted(name)}"\r\ncontent-type: application/octet-stream\r\n\r\n`;
  const headBytes = Buffer.byteLength(head);
  const file = new Blob([content]);
  const whole = new Blob([head, file, `\r\n--${boundary}--\r\n`]);
  let sent = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      sent += chunk.byteLength;
      onSent(Math.min(Math.max(sent - headBytes, 0), file.size));
      controller.enqueue(chunk);
    },
  });
  return {
    body: whole.stream().pipeThrough(counter),
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(whole.size),
    },
  };
};
