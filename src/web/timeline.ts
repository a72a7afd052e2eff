import { setImmediate as turn } from 'node:timers/promises';
import { type Static, Type } from 'typebox';
import { type Image, Nullable, Timings } from '../pipeline/image.ts';
import type { ImageEvent, Store } from '../store/store.ts';

const kinds = ['accepted', 'queued', 'processing', 'succeeded', 'failed', 'dead', 'reprocessed'] as const;

const Entry = Type.Object({
  at: Type.String({ format: 'date-time' }),
  kind: Type.Enum([...kinds], {
    description: 'accepted: the upload began; queued: it is durable; reprocessed: queued as a new generation',
  }),
  generation: Type.Integer({ minimum: 1 }),
  attempt: Nullable(Type.Integer(), 'null before the first of a generation'),
  sinceMs: Type.Integer({ minimum: 0, description: 'Milliseconds since the entry before' }),
  detail: Nullable(Type.String(), 'The reason of a failure'),
  timings: Nullable(Timings, 'Of the attempt that succeeded'),
});

export const Timeline = Type.Object({
  entries: Type.Array(Entry, { description: 'Oldest first' }),
  truncated: Type.Boolean({ description: 'Whether older entries are missing: they are no longer kept' }),
});
/** What happened to an image. */
export type Timeline = Static<typeof Timeline>;

/** Somebody may reprocess an image for ever; these many of the newest changes are told. */
const most = 1_000;

/** The newest changes of an image, oldest first, and whether these are all that are kept. */
const changesOf = async (store: Store, id: string): Promise<{ events: ImageEvent[]; all: boolean }> => {
  const events: ImageEvent[] = [];
  let all = true;
  for (let after = 0; ; ) {
    const page = await store.events(after, most, id);
    events.push(...page);
    if (events.length > most) {
      events.splice(0, events.length - most);
      all = false;
    }
    const last = page.at(-1);
    if (last === undefined || page.length < most) return { events, all };
    after = last.seq;
    // An embedded database answers at once: without this no request would be served until all is read.
    await turn();
  }
};

/** What an image's being in this state means, since when. */
const change = (image: Image, at: string) => {
  const { state, generation, attempts } = image;
  const begins = state === 'queued';
  return {
    at,
    kind: begins && generation > 1 ? ('reprocessed' as const) : state,
    generation,
    attempt: begins ? null : attempts,
    detail: image.error?.message ?? null,
    timings: image.result?.timings ?? null,
  };
};

/** What happened to an image, from its events; where these have expired, what is known of it otherwise. */
export const timelineOf = async (store: Store, image: Image): Promise<Timeline> => {
  const { events, all } = await changesOf(store, image.id);
  const changes = events.flatMap((event) => (event.image === null ? [] : [change(event.image, event.at)]));
  const [first] = changes;
  const truncated = !all || first?.kind !== 'queued';
  if (first === undefined) changes.push(change(image, image.updatedAt));
  const accepted = {
    ...{ at: image.createdAt, kind: 'accepted' as const, generation: 1 },
    ...{ attempt: null, detail: null, timings: null },
  };
  let before = Date.parse(image.createdAt);
  const entries = [accepted, ...changes].map((entry) => {
    const now = Date.parse(entry.at);
    // Each server's clock is its own.
    const sinceMs = Math.max(0, now - before);
    before = now;
    return { ...entry, sinceMs };
  });
  return { entries, truncated };
};
