import { TableCellHeight } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { dashboard } from './frame.ts';
import { datasource, here, instantTarget, lines, mustBeZero, number, shared } from './style.ts';

const uploads = `gantry_http_request_duration_seconds_count{${here}, route="/upload"}`;
const failed = `gantry_http_request_duration_seconds_count{${here}, route="/upload", status=~"5.."}`;

const alerts = new TableBuilder()
  .title('Alerts')
  .description(
    'What fires or is about to. Each alert has an entry in the runbook: what it means and what to do. Empty: nothing is wrong.',
  )
  .datasource(datasource)
  .span(24)
  .height(7)
  .cellHeight(TableCellHeight.Sm)
  .noValue('No alert fires.')
  .withTarget(instantTarget(`ALERTS{alertname=~"Gantry.+"}`))
  .withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true, Value: true, __name__: true },
      indexByName: { severity: 0, alertname: 1, alertstate: 2, namespace: 3, queue: 4, instance: 5 },
    },
  })
  .withTransformation({ id: 'sortBy', options: { sort: [{ field: 'severity' }] } });

const health = {
  title: 'Is it healthy?',
  panels: [
    alerts,
    number({
      title: 'Uploads answered (30 days)',
      description:
        'Share of upload requests answered with something else than 5xx, of 30 days or as long as series are kept. The objective is 99.9 %.',
      unit: 'percentunit',
      queries: [[`1 - sum(increase(${failed}[30d])) / sum(increase(${uploads}[30d])) or vector(1)`, '']],
      steps: [
        [null, 'red'],
        [0.999, 'orange'],
        [0.9995, 'green'],
      ],
      alert: 'GantryUploadErrorBudgetBurn',
    }),
    number({
      title: 'Oldest image',
      description: 'Age of the oldest image without a result. Above 15 minutes it is no retry any more.',
      unit: 's',
      queries: [[`max(gantry_oldest_unfinished_image_seconds{${here}})`, '']],
      steps: [
        [null, 'green'],
        [300, 'orange'],
        [900, 'red'],
      ],
      alert: 'GantryOldestImageTooOld',
    }),
    number({
      title: 'Backlog',
      description: 'Images accepted and not yet ended.',
      unit: 'short',
      queries: [[shared('gantry_images_unfinished'), '']],
    }),
    number({
      title: 'Consumers',
      description:
        'Subscriptions to the queue of images, where there are fewest. 0 is right only with KEDA and nothing to do.',
      unit: 'short',
      queries: [[`min(max by (namespace) (gantry_queue_consumers{${here}, queue="images"}))`, '']],
      steps: [
        [null, 'red'],
        [1, 'green'],
      ],
      alert: 'GantryNoConsumer',
    }),
    number({
      title: 'Dead letters',
      description: 'Images whose every attempt failed and that nobody has replayed or deleted.',
      unit: 'short',
      queries: [[shared('gantry_images_dead'), '']],
      steps: [
        [null, 'green'],
        [1, 'orange'],
      ],
      alert: 'GantryDeadLettersGrowing',
    }),
    number({
      title: 'Lost images',
      description: 'Unfinished images that nobody holds, as of the last sweep. Must be 0.',
      unit: 'short',
      queries: [[shared('gantry_ledger_imbalance_images'), '']],
      steps: mustBeZero,
      alert: 'GantryLedgerImbalance',
    }),
  ],
};

const service = {
  title: 'Service level',
  panels: [
    lines({
      title: 'Error budget burn of uploads',
      description:
        'Share of requests answered with 5xx over several windows. At 0.1 % the budget lasts just the month; 1.44 % for an hour wakes somebody.',
      unit: 'percentunit',
      queries: (['5m', '1h', '6h', '3d'] as const).map((window) => [
        `max(namespace:gantry_upload_requests:error_ratio_rate${window}{${here}})`,
        window,
      ]),
      steps: [
        [null, 'green'],
        [0.001, 'orange'],
        [0.0144, 'red'],
      ],
      alert: 'GantryUploadErrorBudgetBurn',
    }),
    lines({
      title: 'Upload requests',
      description: 'By answer: 202 is accepted, 4xx is refused for the client’s sake, 5xx is our failure.',
      unit: 'reqps',
      queries: [[`sum by (status) (rate(${uploads}[$__rate_interval]))`, '{{status}}']],
    }),
    lines({
      title: 'From acceptance to result',
      description:
        'Percentiles of first generations. Waiting in the queue is included, so it grows with the backlog.',
      unit: 's',
      queries: ([0.5, 0.95, 0.99] as const).map((share) => [
        `histogram_quantile(${share}, sum by (le) (rate(gantry_end_to_end_duration_seconds_bucket{${here}}[$__rate_interval])))`,
        `p${share * 100}`,
      ]),
    }),
  ],
};

const work = {
  title: 'Work',
  panels: [
    lines({
      title: 'Images in and out',
      description:
        'Files accepted, and images that ended, by state. Where the first is above the rest, the backlog grows.',
      unit: 'ops',
      queries: [
        [`sum(rate(gantry_uploads_total{${here}, outcome="accepted"}[$__rate_interval]))`, 'accepted'],
        [`sum by (state) (rate(gantry_outcomes_total{${here}}[$__rate_interval]))`, '{{state}}'],
      ],
    }),
    lines({
      title: 'Backlog and outbox',
      description:
        'Unfinished images, messages in the queue of images, and jobs that the broker has not confirmed.',
      unit: 'short',
      queries: [
        [shared('gantry_images_unfinished'), 'unfinished'],
        [shared('gantry_queue_messages', ', queue="images"'), 'in the queue'],
        [shared('gantry_outbox_rows'), 'in the outbox'],
      ],
      alert: 'GantryOutboxStuck',
    }),
    lines({
      title: 'Refused files',
      description: 'Files not taken, by reason.',
      unit: 'ops',
      queries: [
        [
          `sum by (outcome) (rate(gantry_uploads_total{${here}, outcome!~"accepted|repeated"}[$__rate_interval]))`,
          '{{outcome}}',
        ],
      ],
    }),
  ],
};

const parts = {
  title: 'What it stands on',
  panels: [
    lines({
      title: 'Scraped processes',
      description: 'How many of each part answer.',
      unit: 'short',
      queries: [[`sum by (job) (up{${here}, job=~"gantry-.+"})`, '{{job}}']],
      alert: 'GantryTargetDown',
    }),
    lines({
      title: 'Dependencies',
      description: '1: every web server could ask it; 0: at least one could not.',
      unit: 'short',
      queries: [[`min by (dependency) (gantry_dependency_up{${here}})`, '{{dependency}}']],
      alert: 'GantryDependencyDown',
    }),
    lines({
      title: 'Disk of the originals',
      description: 'Free space, and the reserve below which uploads are refused. Nothing with S3.',
      unit: 'bytes',
      queries: [
        [`min(gantry_storage_free_bytes{${here}})`, 'free'],
        [`max(gantry_storage_reserve_bytes{${here}})`, 'reserve'],
      ],
      alert: 'GantryStorageLow',
    }),
  ],
};

/** For the person on call: is it healthy, and if not, where to look. */
export const overview = dashboard({
  uid: 'gantry-overview',
  title: 'Gantry: overview',
  description: 'For the person on call: is it healthy, and if not, where to look.',
  inNamespacesOf: 'gantry_build_info',
  rows: [health, service, work, parts],
});
