import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { dashboard } from './frame.ts';
import { datasource, here, lines, number, targets } from './style.ts';

const answers = (window: string): string =>
  `sum by (label) (increase(gantry_outcomes_total{${here}, state="succeeded"}[${window}]))`;
const shares = (window: string): string => `${answers(window)} / on () group_left () sum(${answers(window)})`;
const doubtful = (window: string): string =>
  `sum(increase(gantry_result_confidence_bucket{${here}, le="0.7"}[${window}])) / sum(increase(gantry_result_confidence_count{${here}}[${window}]))`;

const heatmap = new HeatmapBuilder()
  .title('Confidence')
  .description('How sure the model was, over time: rows are confidences, the colour is how many answers.')
  .datasource(datasource)
  .span(12)
  .height(9)
  .calculate(false)
  .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Blues').steps(32))
  .targets(
    targets([
      [`sum by (le) (increase(gantry_result_confidence_bucket{${here}}[$__rate_interval]))`, '{{le}}'],
    ]).map((target) => target.format(PromQueryFormat.Heatmap)),
  );

const now = {
  title: 'Answers',
  panels: [
    number({
      title: 'Confidence drift (1 day)',
      description:
        'Population stability index of the last day’s confidences against the model’s held-out pictures: the sum over five bands of (share - reference) x ln(share / reference). Below 0.1 nothing changed, above 0.25 these are other pictures than the model was tested with.',
      unit: 'short',
      // As the alert: with few answers the index is noise, and noise is no red figure.
      queries: [
        [
          `max(namespace:gantry_result_confidence:psi1d{${here}} and on (namespace) sum by (namespace) (increase(gantry_result_confidence_count{${here}}[1d])) > 200)`,
          '',
        ],
      ],
      width: 8,
      steps: [
        [null, 'green'],
        [0.1, 'orange'],
        [0.25, 'red'],
      ],
      alert: 'GantryModelDrift',
    }).noValue('too few answers'),
    number({
      title: 'Doubtful answers (1 day)',
      description: 'Share of answers with a confidence of 0.7 or less. 0.4 % of the held-out pictures.',
      unit: 'percentunit',
      queries: [[doubtful('1d'), '']],
      width: 8,
      steps: [
        [null, 'green'],
        [0.05, 'orange'],
        [0.2, 'red'],
      ],
      alert: 'GantryModelDrift',
    }),
    number({
      title: 'Answers (1 day)',
      description: 'With fewer than some hundred the figures beside it are noise.',
      unit: 'short',
      queries: [[`sum(increase(gantry_result_confidence_count{${here}}[1d]))`, '']],
      width: 8,
    }),
    heatmap,
    lines({
      title: 'Doubtful answers',
      description: 'Share of answers with a confidence of 0.7 or less, over an hour and a day.',
      unit: 'percentunit',
      width: 12,
      height: 9,
      queries: [
        [doubtful('1h'), '1 hour'],
        [doubtful('1d'), '1 day'],
      ],
    }),
  ],
};

const labels = {
  title: 'Labels',
  panels: [
    lines(
      {
        title: 'Label mix',
        description: 'Share of each label over an hour.',
        unit: 'percentunit',
        queries: [[shares('1h'), '{{label}}']],
      },
      true,
    ),
    lines({
      title: 'Label mix against the model card',
      description:
        'Share of each label of the last day less its share of the held-out pictures. Those were chosen to test the model and are no forecast: a steady difference is your pictures, a jump is a change.',
      unit: 'percentunit',
      queries: [
        [
          `(${shares('1d')}) - on (label) max by (label) (model_label:gantry_reference_answers:share)`,
          '{{label}}',
        ],
      ],
    }).min(-1),
    lines({
      title: 'Label mix against a week ago',
      description: 'Share of each label of the last day less its share seven days ago.',
      unit: 'percentunit',
      queries: [
        [
          `(${shares('1d')}) - on (label) (${shares('1d').replaceAll('[1d]', '[1d] offset 7d')})`,
          '{{label}}',
        ],
      ],
    }).min(-1),
  ],
};

const drift = {
  title: 'Confidence against the model card',
  panels: [
    lines(
      {
        title: 'Confidences of the last day',
        description: 'Share of answers in each band.',
        unit: 'percentunit',
        queries: [[`avg by (band) (namespace_band:gantry_result_confidence:share1d{${here}})`, '{{band}}']],
      },
      true,
    ),
    lines(
      {
        title: 'Confidences of the held-out pictures',
        description: 'The reference: the same model on 520 pictures that it was not trained on.',
        unit: 'percentunit',
        queries: [['max by (band) (model_band:gantry_reference_answers:share)', '{{band}}']],
      },
      true,
    ),
    lines({
      title: 'Drift index',
      description: 'Population stability index, by namespace. Above 0.25 look at the pictures.',
      unit: 'short',
      queries: [[`namespace:gantry_result_confidence:psi1d{${here}}`, '{{namespace}}']],
      steps: [
        [null, 'green'],
        [0.1, 'orange'],
        [0.25, 'red'],
      ],
      alert: 'GantryModelDrift',
    }),
  ],
};

/** What the model answers, how sure it is, and whether that is what its model card promises. */
export const modelQuality = dashboard({
  uid: 'gantry-model-quality',
  title: 'Gantry: model quality',
  description: 'What the model answers, how sure it is, and whether that is what its model card promises.',
  inNamespacesOf: 'gantry_build_info',
  rows: [now, labels, drift],
});
