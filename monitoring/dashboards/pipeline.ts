import { dashboard } from './frame.ts';
import { here, lines, number, processName, shared } from './style.ts';

const rate = (metric: string, labels = ''): string => `rate(${metric}{${here}${labels}}[$__rate_interval])`;

const percentiles = (stage: string, what: string) =>
  lines({
    title: `${stage}`,
    description: what,
    unit: 's',
    width: 6,
    queries: ([0.5, 0.95, 0.99] as const).map((share) => [
      `histogram_quantile(${share}, sum by (le) (${rate('gantry_stage_duration_seconds_bucket', `, stage="${stage}"`)}))`,
      `p${share * 100}`,
    ]),
  });

const stages = {
  title: 'Stages of an image, in its order',
  panels: [
    percentiles('accept', 'First byte of the upload to its answer.'),
    percentiles('outbox', 'Acceptance to the broker’s confirm. Seconds here: the broker was away.'),
    percentiles('queue', 'Published to taken, pauses before retries included. It grows with the backlog.'),
    percentiles('fetch', 'Reading the original, in the worker.'),
    percentiles('decode', 'Decoding, scaling and the thumbnail, in the worker.'),
    percentiles('infer', 'The model, for a whole batch.'),
    percentiles('record', 'Outcome taken to the end of its transaction.'),
    lines({
      title: 'Rate of each stage',
      description: 'Images a second. In balance all are equal; `infer` counts each image of a batch.',
      unit: 'ops',
      width: 6,
      queries: [[`sum by (stage) (${rate('gantry_stage_duration_seconds_count')})`, '{{stage}}']],
    }),
  ],
};

const attempts = {
  title: 'Attempts',
  panels: [
    lines({
      title: 'Attempts by outcome',
      description: 'succeeded, refused (the picture cannot be used), or the code of the fault.',
      unit: 'ops',
      queries: [[`sum by (outcome) (${rate('gantry_attempts_total')})`, '{{outcome}}']],
    }),
    lines({
      title: 'Retries',
      description: 'Jobs published for another attempt, by the queue where they wait.',
      unit: 'ops',
      queries: [[`sum by (queue) (${rate('gantry_retries_total')})`, '{{queue}}']],
    }),
    lines({
      title: 'Queued again, and outcomes without effect',
      description: 'What the sweep queued again, and results that were repeated, stale or of unknown images.',
      unit: 'ops',
      queries: [
        [`sum by (reason) (${rate('gantry_requeued_images_total')})`, 'again: {{reason}}'],
        [`sum by (reason) (${rate('gantry_ineffective_outcomes_total')})`, 'no effect: {{reason}}'],
      ],
    }),
    lines({
      title: 'Publishing failures',
      description: 'Messages that the broker did not take. The outbox publishes them again.',
      unit: 'ops',
      queries: [
        [`sum by (queue, reason) (${rate('gantry_publish_failures_total')})`, '{{queue}}: {{reason}}'],
      ],
      alert: 'GantryUnroutableMessages',
    }),
    lines({
      title: 'Messages',
      description: 'In each of Gantry’s queues, as the web server sees them.',
      unit: 'short',
      queries: [[shared('gantry_queue_messages', '', 'queue'), '{{queue}}']],
    }),
    lines({
      title: 'Subscriptions',
      description: 'Processes that take messages from each queue.',
      unit: 'short',
      queries: [[`sum by (queue) (gantry_subscription_active{${here}})`, '{{queue}}']],
      alert: 'GantrySubscriptionLost',
    }),
  ],
};

const workers = {
  title: 'Inference processes',
  panels: [
    lines(
      {
        title: 'Workers',
        description: 'Of all consumers. All busy and a queue that grows: more consumers are needed.',
        unit: 'short',
        queries: [[`sum by (state) (gantry_workers{${here}})`, '{{state}}']],
      },
      true,
    ),
    lines({
      title: 'Batch size',
      description: 'Images that went through the model together.',
      unit: 'short',
      queries: [
        [`sum(${rate('gantry_batch_size_sum')}) / sum(${rate('gantry_batch_size_count')})`, 'mean'],
        [`histogram_quantile(0.95, sum by (le) (${rate('gantry_batch_size_bucket')}))`, 'p95'],
      ],
    }),
    lines({
      title: 'Workers started anew',
      description: 'By reason: memory is a change in order, the others are crashes.',
      unit: 'ops',
      queries: [[`sum by (reason) (${rate('gantry_worker_restarts_total')})`, '{{reason}}']],
      alert: 'GantryWorkerCrashLoop',
    }),
    lines({
      title: 'Memory of the workers',
      description: 'Resident memory after the last batch. Above GANTRY_WORKER_MEMORY a worker is replaced.',
      unit: 'bytes',
      queries: [[`gantry_worker_resident_memory_bytes{${here}}`, '{{pod}} {{instance}} {{worker}}']],
    }),
    number({
      title: 'Models at work',
      description: 'More than one: a rollout is under way, or consumers disagree.',
      unit: 'short',
      queries: [[`count(count by (digest) (gantry_model_info{${here}}))`, '']],
      width: 8,
      height: 8,
      steps: [
        [null, 'green'],
        [2, 'orange'],
      ],
    }),
    lines({
      title: 'Open event streams',
      description: 'Pages and clients that watch.',
      unit: 'short',
      queries: [[`sum(gantry_event_streams{${here}})`, 'streams']],
    }),
  ],
};

const processes = {
  title: 'Processes',
  panels: [
    lines({
      title: 'Event loop lag (p99)',
      description: 'How late one turn in a hundred is. Above 0.5 s everything in the process waits.',
      unit: 's',
      queries: [[`nodejs_eventloop_lag_p99_seconds{${here}, job=~"gantry-.+"}`, processName]],
      alert: 'GantryEventLoopLag',
    }),
    lines({
      title: 'Processor',
      description: 'Of the main processes; workers are not in here. 1 is one core.',
      unit: 'short',
      queries: [
        [`rate(process_cpu_seconds_total{${here}, job=~"gantry-.+"}[$__rate_interval])`, processName],
      ],
    }),
    lines({
      title: 'Memory',
      description: 'Resident memory of the main processes.',
      unit: 'bytes',
      queries: [[`process_resident_memory_bytes{${here}, job=~"gantry-.+"}`, processName]],
    }),
  ],
};

/** Where the time goes: every stage of an image, attempts, workers, processes. */
export const pipeline = dashboard({
  uid: 'gantry-pipeline',
  title: 'Gantry: pipeline',
  description: 'Where the time goes: every stage of an image, attempts, workers, processes.',
  inNamespacesOf: 'gantry_build_info',
  rows: [stages, attempts, workers, processes],
});
