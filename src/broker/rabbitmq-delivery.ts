import type { ConsumeMessage } from 'amqplib';
import type { Delivery, Headers } from './broker.ts';

/**
 * Earlier deliveries that ended without an answer. `x-delivery-count` is what every version counts against the limit;
 * `x-acquired-count` (4.3) also counts what was given back unseen. From 4.x on the count comes along when a message
 * is dead-lettered; in its new queue it is not a redelivery yet.
 */
const redeliveriesOf = ({ fields, properties }: ConsumeMessage): number => {
  const count: unknown = properties.headers?.['x-delivery-count'];
  return fields.redelivered && typeof count === 'number' ? count : 0;
};

/** What was published along; not what the broker itself adds (x-...), nor tables and times, which we never send. */
const headersOf = ({ properties }: ConsumeMessage): Headers => {
  const headers: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(properties.headers ?? {}))
    if (!name.startsWith('x-') && (typeof value === 'string' || typeof value === 'number'))
      headers[name] = value;
  return headers;
};

/** What the port's handlers see of a message. */
export const deliveryOf = (message: ConsumeMessage): Delivery => ({
  body: message.content,
  headers: headersOf(message),
  redeliveries: redeliveriesOf(message),
});
