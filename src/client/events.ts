import { setTimeout as sleep } from 'node:timers/promises';
import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream';
import type { Image, ImageState } from './answers.ts';
import { type ClientError, mayPass } from './errors.ts';
import { idleLimit, type Requests } from './requests.ts';

/** An image as it was after a change; only its ID once it is deleted. */
export type ImageEvent =
  | { readonly seq: string; readonly type: ImageState; readonly id: string; readonly image: Image }
  | { readonly seq: string; readonly type: 'deleted'; readonly id: string; readonly image: null };

export interface EventOptions {
  /** Ends the stream. */
  readonly signal: AbortSignal;
  /** Only the changes of this image, from its beginning. */
  readonly imageId?: string;
  /** `seq` of the last event that was seen: the stream goes on behind it. */
  readonly after?: string;
  /** Called whenever the stream stands. */
  readonly onOpen?: () => void;
  /** Called whenever it breaks, or cannot be opened; it is opened again, and nothing is missed. */
  readonly onLost?: (error: ClientError) => void;
}

/** The server sends a comment every 15 s, so a stream that is silent for longer is dead. */
const silentMs = 45_000;
const pausesMs = { first: 200, most: 5000 };

const eventOf = ({ id: seq = '', event = '', data }: EventSourceMessage): ImageEvent => {
  const image = JSON.parse(data) as Image;
  return (
    event === 'deleted'
      ? { seq, type: event, id: image.id, image: null }
      : { seq, type: event, id: image.id, image }
  ) as ImageEvent;
};

/**
 * Changes of images as they happen. A stream that breaks is opened again behind the last event that was seen. Throws
 * ClientError for what does not pass, such as a wrong key.
 */
export async function* followEvents(requests: Requests, options: EventOptions): AsyncGenerator<ImageEvent> {
  const { signal, imageId, onOpen = () => {}, onLost = () => {} } = options;
  const path = imageId === undefined ? '/events' : `/images/${encodeURIComponent(imageId)}/events`;
  let last = options.after;
  for (let pauseMs = pausesMs.first; !signal.aborted; pauseMs = Math.min(2 * pauseMs, pausesMs.most)) {
    const idle = idleLimit(silentMs);
    try {
      const headers = {
        accept: 'text/event-stream',
        ...(last === undefined ? {} : { 'last-event-id': last }),
      };
      const response = await requests.send('GET', path, { headers, signal }, idle);
      const type = response.headers.get('content-type') ?? '';
      if (response.body === null || !type.startsWith('text/event-stream')) throw requests.stranger();
      onOpen();
      const parsed = response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream({ onComment: idle.moved }));
      try {
        for await (const message of parsed) {
          idle.moved();
          pauseMs = pausesMs.first;
          last = message.id ?? last;
          yield eventOf(message);
        }
      } catch (cause) {
        throw cause instanceof SyntaxError ? cause : requests.unreachable(cause, 'the stream broke off');
      }
      throw requests.unreachable(undefined, 'the stream ended');
    } catch (error) {
      if (signal.aborted) return;
      if (!mayPass(error)) throw error;
      onLost(error);
    } finally {
      idle.stop();
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}
