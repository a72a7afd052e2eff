import type { Properties } from '../broker/broker.ts';
import type { Job } from './message.ts';

/**
 * What a message about a job carries beside its body: the image's ID as correlation ID; generation, attempt and,
 * where the upload brought one, `traceparent` (W3C Trace Context) as headers.
 */
export const propertiesOf = ({
  id,
  generation,
  attempt,
  traceparent,
}: Pick<Job, 'id' | 'generation' | 'attempt' | 'traceparent'>): Properties => ({
  correlationId: id,
  headers: { generation, attempt, ...(traceparent === undefined ? {} : { traceparent }) },
});
