import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { startSpan } from '../../observability/tracing.ts';
import type { ImageEvent } from '../../store/store.ts';
import type { App, WebContext } from '../context.ts';
import { notFound, Problem } from '../problem.ts';
import { Id } from '../schemas.ts';

const description = `Server-sent events. \`event\` is the image's new state or \`deleted\`, \`data\` the image as JSON (for \`deleted\`: its id), \`id\` the number to resume from with \`Last-Event-ID\`.`;
const Headers = Type.Object({ 'last-event-id': Type.Optional(Type.String()) });

const lastEventId = (header: string | undefined): number | undefined => {
  if (header === undefined || header === '') return undefined;
  if (!/^\d{1,15}$/.test(header))
    throw new Problem(400, 'invalid-request', 'Last-Event-ID takes the id of an event');
  return Number(header);
};

/** Where a trace ends: a listener is told what became of the upload. */
async function* notifying(events: AsyncIterable<ImageEvent>) {
  for await (const event of events) {
    const { type, imageId, traceparent } = event;
    const attributes = { 'gantry.image.id': imageId, 'gantry.event': type };
    if (traceparent !== undefined) startSpan('notify', { traceparent, attributes }).end();
    yield event;
  }
}

async function* messages(events: AsyncIterable<ImageEvent>) {
  for await (const { seq, type, imageId, image } of events) {
    yield { id: String(seq), event: type, data: image ?? { id: imageId } };
  }
}
/** Events of one image read at once; a longer history is followed like the rest. */
const historyPage = 1000;

async function* ofImage(events: AsyncIterable<ImageEvent>, imageId: string) {
  for await (const event of events) if (event.imageId === imageId) yield event;
}

/** The plugin's own refusal of an `accept` without event streams is made a problem like any other. */
const notAcceptable = async (_request: unknown, _reply: unknown, payload: unknown): Promise<unknown> => {
  if (typeof payload !== 'object' || payload === null || !('statusCode' in payload)) return payload;
  throw new Problem(406, 'not-acceptable', 'this is an event stream: accept must allow text/event-stream');
};

/** Server-sent events: of all images as they happen, or of one image from its beginning. */
export const eventRoutes = (app: App, context: WebContext): void => {
  const { store, feed, metrics } = context;
  const tags = ['images'];
  const stream = { sse: 'only', exposeHeadRoute: false, preSerialization: notAcceptable } as const;

  /** A comment at once, so that a client and every proxy between sees the stream open. */
  const opened = (reply: FastifyReply): AbortSignal => {
    const closed = new AbortController();
    metrics.eventStreams.inc();
    reply.sse.onClose(() => {
      metrics.eventStreams.dec();
      closed.abort();
    });
    reply.sse.sendHeaders();
    reply.raw.write(': connected\n\n');
    return closed.signal;
  };

  const all = { summary: 'Changes of all images, live', description, tags, headers: Headers };
  app.get('/events', { schema: all, ...stream }, async (request, reply) => {
    const now = await feed.last();
    // An ID beyond the newest is from before the store was replaced.
    const from = Math.min(lastEventId(request.headers['last-event-id']) ?? now, now);
    await reply.sse.send(messages(notifying(feed.follow(from, opened(reply)))));
  });

  const one = {
    summary: 'Changes of one image, from its beginning',
    description,
    tags,
    params: Id,
    headers: Headers,
  };
  app.get('/images/:id/events', { schema: one, ...stream }, async (request, reply) => {
    const { id } = request.params;
    if ((await store.image(id)) === undefined) throw notFound(`image ${id}`);
    const now = await feed.last();
    const last = lastEventId(request.headers['last-event-id']) ?? 0;
    const from = last > now ? 0 : last;
    const history = await store.events(from, historyPage, id);
    const seen = history.at(-1)?.seq ?? from;
    const signal = opened(reply);
    async function* events() {
      yield* history;
      const begin = history.length < historyPage ? Math.max(now, seen) : seen;
      yield* notifying(ofImage(feed.follow(begin, signal), id));
    }
    await reply.sse.send(messages(events()));
  });
};
