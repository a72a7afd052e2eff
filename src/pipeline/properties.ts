import type { Headers, Properties } from '../broker/broker.ts';
import type { Job } from './message.ts';

/**
 * What a message about a job carries beside its body: the image's ID as correlation ID; generation, attempt, when it
 * was published (ms since 1970) and, where the upload brought one, `traceparent` (W3C Trace Context) as headers.
 */
export const propertiesOf = ({
  id,
  generation,
  attempt,
  traceparent,
}: Pick<Job, 'id' | 'generation' | 'attempt' | 'traceparent'>): Properties => ({
  correlationId: id,
  headers: {
    generation,
    attempt,
    publishedAt: Date.now(),
    ...(traceparent === undefined ? {} : { traceparent }),
  },
});

/** How long (ms) a message was under way, by the clocks of two machines; undefined if it does not say. */
export const underWayMs = ({ publishedAt }: Headers): number | undefined =>
  typeof publishedAt === 'number' ? Math.max(0, Date.now() - publishedAt) : undefined;
