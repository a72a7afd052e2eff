import { dashboard } from './frame.ts';
import { here, lines, mustBeZero, number, shared } from './style.ts';

const alarms = {
  title: 'Does it take messages?',
  panels: [
    number({
      title: 'Memory alarm',
      description: '1: above the watermark, publishers are blocked.',
      unit: 'short',
      queries: [[`max(rabbitmq_alarms_memory_used_watermark{${here}})`, '']],
      steps: mustBeZero,
      alert: 'GantryRabbitMQMemoryAlarm',
    }),
    number({
      title: 'Disk alarm',
      description: '1: less free than the limit, publishers are blocked.',
      unit: 'short',
      queries: [[`max(rabbitmq_alarms_free_disk_space_watermark{${here}})`, '']],
      steps: mustBeZero,
      alert: 'GantryRabbitMQDiskAlarm',
    }),
    number({
      title: 'Nodes',
      description: 'That answer Prometheus.',
      unit: 'short',
      queries: [[`count(rabbitmq_build_info{${here}, job="gantry-rabbitmq"})`, '']],
    }),
    number({
      title: 'Connections',
      description: 'Each Gantry process has two.',
      unit: 'short',
      queries: [[`sum(rabbitmq_connections{${here}})`, '']],
    }),
    number({
      title: 'Channels',
      description: 'A few for each process. A number that only grows is a leak.',
      unit: 'short',
      queries: [[`sum(rabbitmq_channels{${here}})`, '']],
    }),
    number({
      title: 'Unacknowledged',
      description: 'At work: at most (workers + 1) x batch size for each consumer.',
      unit: 'short',
      queries: [[`sum(rabbitmq_queue_messages_unacked{${here}})`, '']],
    }),
  ],
};

const queues = {
  title: 'Queues',
  panels: [
    lines({
      title: 'Ready',
      description: 'Messages that wait, by queue.',
      unit: 'short',
      queries: [[shared('rabbitmq_detailed_queue_messages_ready', '', 'queue'), '{{queue}}']],
    }),
    lines({
      title: 'Delivered and not acknowledged',
      description: 'Messages that a process holds, by queue.',
      unit: 'short',
      queries: [[shared('rabbitmq_detailed_queue_messages_unacked', '', 'queue'), '{{queue}}']],
    }),
    lines({
      title: 'Consumers',
      description:
        'Subscriptions by queue. The retry queues have none: their messages go back by themselves.',
      unit: 'short',
      queries: [[shared('rabbitmq_detailed_queue_consumers', '', 'queue'), '{{queue}}']],
      alert: 'GantryNoConsumer',
    }),
  ],
};

const total = (metric: string): string => `sum(rate(${metric}{${here}}[$__rate_interval]))`;

const traffic = {
  title: 'Traffic',
  panels: [
    lines({
      title: 'Published and confirmed',
      description:
        'The two lines must lie on each other. Confirms that stay behind: a slow disk, or an alarm.',
      unit: 'ops',
      queries: [
        [total('rabbitmq_global_messages_received_confirm_total'), 'published'],
        [total('rabbitmq_global_messages_confirmed_total'), 'confirmed'],
      ],
    }),
    lines({
      title: 'Delivered, acknowledged, delivered again',
      description: 'Redeliveries: a consumer ended without an answer.',
      unit: 'ops',
      queries: [
        [total('rabbitmq_global_messages_delivered_total'), 'delivered'],
        [total('rabbitmq_global_messages_acknowledged_total'), 'acknowledged'],
        [total('rabbitmq_global_messages_redelivered_total'), 'again'],
      ],
    }),
    lines({
      title: 'Without a way',
      description: 'Messages that no queue took. Must be 0.',
      unit: 'ops',
      queries: [
        [total('rabbitmq_global_messages_unroutable_returned_total'), 'returned'],
        [total('rabbitmq_global_messages_unroutable_dropped_total'), 'dropped'],
      ],
      alert: 'GantryUnroutableMessages',
    }),
  ],
};

const node = {
  title: 'Nodes',
  panels: [
    lines({
      title: 'Memory',
      description: 'Resident memory, and the watermark above which publishers are blocked.',
      unit: 'bytes',
      queries: [
        [`rabbitmq_process_resident_memory_bytes{${here}}`, '{{pod}} {{instance}}'],
        [`min(rabbitmq_resident_memory_limit_bytes{${here}})`, 'watermark'],
      ],
      alert: 'GantryRabbitMQMemoryAlarm',
    }),
    lines({
      title: 'Disk',
      description: 'Free space, and the limit below which publishers are blocked.',
      unit: 'bytes',
      queries: [
        [`rabbitmq_disk_space_available_bytes{${here}}`, '{{pod}} {{instance}}'],
        [`max(rabbitmq_disk_space_available_limit_bytes{${here}})`, 'limit'],
      ],
      alert: 'GantryRabbitMQDiskAlarm',
    }),
    lines({
      title: 'Connections opened and closed',
      description: 'Steady churn: a client that does not get in, or a probe.',
      unit: 'ops',
      queries: [
        [total('rabbitmq_connections_opened_total'), 'opened'],
        [total('rabbitmq_connections_closed_total'), 'closed'],
      ],
    }),
  ],
};

/** RabbitMQ by its own metrics. */
export const rabbitmq = dashboard({
  uid: 'gantry-rabbitmq',
  title: 'Gantry: RabbitMQ',
  description: 'RabbitMQ by its own metrics.',
  inNamespacesOf: 'rabbitmq_build_info',
  rows: [alarms, queues, traffic, node],
});
