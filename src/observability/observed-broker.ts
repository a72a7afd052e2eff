import { type Attributes, SpanKind } from '@opentelemetry/api';
import { type Broker, PublishError, type Subscription } from '../broker/broker.ts';
import { exchange, type QueueName } from '../broker/topology.ts';
import type { Metrics } from './metrics.ts';
import { currentTraceparent, inSpan } from './tracing.ts';

export interface ObservedBroker extends Broker {
  /** Brings the gauges of connection and subscriptions up to date. */
  observe(): void;
}

/**
 * A broker whose failures are counted, whose state is shown, and whose messages carry the trace on: a producer span
 * goes along as the header `traceparent`, and a consumer span is both its child and linked to it.
 * Names: https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/
 */
export const observedBroker = (
  broker: Broker,
  metrics: Metrics,
  system: 'rabbitmq' | 'gantry',
): ObservedBroker => {
  const subscriptions: { readonly queue: QueueName; readonly subscription: Subscription }[] = [];
  const attributesOf = (queue: QueueName, operation: string, bytes: number): Attributes => ({
    'messaging.system': system,
    ...(system === 'rabbitmq'
      ? {
          'messaging.destination.name': `${exchange}:${queue}`,
          'messaging.rabbitmq.destination.routing_key': queue,
        }
      : { 'messaging.destination.name': queue }),
    'messaging.operation.name': operation,
    'messaging.operation.type': operation === 'publish' ? 'send' : operation,
    'messaging.message.body.size': bytes,
  });

  return {
    ...broker,
    publish: (queue, body, properties = {}) => {
      const { correlationId, headers = {} } = properties;
      const id = correlationId === undefined ? {} : { 'messaging.message.conversation_id': correlationId };
      const settings = {
        kind: SpanKind.PRODUCER,
        traceparent: currentTraceparent() ?? headers.traceparent,
        attributes: { ...attributesOf(queue, 'publish', body.byteLength), ...id },
      };
      return inSpan(`publish ${queue}`, settings, async () => {
        const traceparent = currentTraceparent();
        const traced = traceparent === undefined ? headers : { ...headers, traceparent };
        try {
          await broker.publish(queue, body, { ...properties, headers: traced });
        } catch (error) {
          if (error instanceof PublishError) metrics.publishFailures.inc({ queue, reason: error.code });
          throw error;
        }
      });
    },
    consume: async (queue, options, handler) => {
      const subscription = await broker.consume(queue, options, (delivery) => {
        const { traceparent } = delivery.headers;
        // A hint belongs to no trace, and is not worth one of its own.
        if (traceparent === undefined) return handler(delivery);
        const attributes = attributesOf(queue, 'process', delivery.body.byteLength);
        const settings = { kind: SpanKind.CONSUMER, traceparent, linkedTo: traceparent, attributes };
        return inSpan(`process ${queue}`, settings, () => handler(delivery));
      });
      subscriptions.push({ queue, subscription });
      return subscription;
    },
    observe() {
      metrics.brokerConnected.set(Number(broker.isConnected()));
      for (const { queue, subscription } of subscriptions)
        metrics.subscriptionActive.set({ queue }, Number(subscription.isActive()));
    },
  };
};
