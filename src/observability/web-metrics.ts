import { Counter, Gauge, Histogram } from 'prom-client';
import type { Recorded } from '../store/store.ts';
import { fromZero } from './from-zero.ts';
import { durations, type Metrics } from './metrics.ts';
import { resultMetrics } from './result-metrics.ts';

const ineffective = Object.keys({ repeated: 0, stale: 0, unknown: 0 } satisfies Record<
  Exclude<Recorded, 'recorded'>,
  0
>);

/** The series of a web server, added to those that every process has. */
export const webMetrics = (metrics: Metrics) => {
  const registers = [metrics.registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const httpSeconds = new Histogram({
    name: 'gantry_http_request_duration_seconds',
    help: 'From a request’s header to the end of its answer, by method, route (a pattern, no path) and status: 499 where the client did not wait for it. Without event streams.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300],
    registers,
  });
  const uploads = new Counter({
    name: 'gantry_uploads_total',
    help: 'Files offered for upload, by outcome: accepted, repeated (with an Idempotency-Key), or the code of the refusal. A request that is refused as a whole counts once.',
    labelNames: ['outcome'] as const,
    registers,
  });
  const ineffectiveOutcomes = new Counter({
    name: 'gantry_ineffective_outcomes_total',
    help: 'Outcomes that changed nothing: repeated (recorded already), stale (of an older generation), unknown (no such image).',
    labelNames: ['reason'] as const,
    registers,
  });
  const requeued = new Counter({
    name: 'gantry_requeued_images_total',
    help: 'Unfinished images queued again by the sweep: emptied (the broker lost its data), overtaken (younger ones ended before), missing (held by nobody).',
    labelNames: ['reason'] as const,
    registers,
  });
  // What the objective of uploads is computed from.
  for (const status of [202, 500, 503, 507]) httpSeconds.zero({ method: 'POST', route: '/upload', status });
  fromZero(ineffectiveOutcomes, 'reason', ineffective);
  fromZero(requeued, 'reason', ['emptied', 'overtaken', 'missing']);
  fromZero(metrics.attempts, 'outcome', ['delivery-limit']);
  fromZero(metrics.stageSeconds, 'stage', ['accept', 'outbox', 'record']);
  return {
    ...metrics,
    ...{ httpSeconds, uploads, ineffectiveOutcomes, requeued, results: resultMetrics(metrics.registry) },
    uploadedBytes: new Counter({
      name: 'gantry_upload_bytes_total',
      help: 'Bytes of the files accepted.',
      registers,
    }),
    endToEndSeconds: new Histogram({
      name: 'gantry_end_to_end_duration_seconds',
      help: 'From the acceptance of an image to its recorded outcome; first generations only.',
      buckets: durations,
      registers,
    }),
    imbalance: gauge(
      'gantry_ledger_imbalance_images',
      'Unfinished images that neither the outbox, a queue nor a consumer holds, as of the last sweep, which queues them again. More than a moment above 0 is a loss.',
    ),
    unfinished: gauge('gantry_images_unfinished', 'Images neither succeeded, failed nor dead: the backlog.'),
    oldestUnfinishedSeconds: gauge(
      'gantry_oldest_unfinished_image_seconds',
      'Age of the oldest unfinished image; 0 if there is none.',
    ),
    deadImages: gauge('gantry_images_dead', 'Images whose every attempt failed and that nobody replayed.'),
    outbox: gauge('gantry_outbox_rows', 'Jobs that the broker has not confirmed yet, or only a moment ago.'),
    oldestOutboxSeconds: gauge(
      'gantry_oldest_outbox_row_seconds',
      'Age of the oldest row of the outbox; 0 if there is none.',
    ),
    queueMessages: new Gauge({
      name: 'gantry_queue_messages',
      help: 'Messages in a queue of the broker. On RabbitMQ those waiting and those that this process was delivered.',
      labelNames: ['queue'] as const,
      registers,
    }),
    queueConsumers: new Gauge({
      name: 'gantry_queue_consumers',
      help: 'Subscriptions to a queue of the broker, of all processes.',
      labelNames: ['queue'] as const,
      registers,
    }),
    storageFree: gauge(
      'gantry_storage_free_bytes',
      'Free space where the originals lie; absent where there is no telling (S3).',
    ),
    storageReserve: gauge('gantry_storage_reserve_bytes', 'Free space below which uploads are refused.'),
    dependencyUp: new Gauge({
      name: 'gantry_dependency_up',
      help: 'Whether this scrape could ask: store, storage (of the originals), broker. Where it could not, the gauges from there are missing.',
      labelNames: ['dependency'] as const,
      registers,
    }),
    keyFileUsable: gauge(
      'gantry_api_key_file_up',
      'Whether the file of the API keys can be used as it is (1) or those of before are still in force (0); absent without API keys.',
    ),
    eventStreams: gauge('gantry_event_streams', 'Open streams of server-sent events.'),
  };
};

export type WebMetrics = ReturnType<typeof webMetrics>;
