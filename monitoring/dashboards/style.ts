import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** What `$datasource` stands for is chosen at the top of the dashboard. */
export const datasource = { type: 'prometheus', uid: '$datasource' };

/** The page that alerts and panels lead to; the charts put an address in its place. */
export const runbookPage = 'docs/runbook.md';

/** Matches the series of the namespaces chosen at the top. */
export const here = 'namespace=~"$namespace"';

/**
 * What every web server tells of the one store or broker that they share, such as the backlog: once a namespace, and of
 * all that are chosen together.
 */
export const shared = (metric: string, labels = '', by = ''): string =>
  by === ''
    ? `sum(max by (namespace) (${metric}{${here}${labels}}))`
    : `sum by (${by}) (max by (namespace, ${by}) (${metric}{${here}${labels}}))`;

/** The process of a series: a pod's name where there is one, and an address. */
export const processName = '{{job}} {{pod}} {{instance}}';

/** Units as Grafana calls them: shares are 0 to 1. */
export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'reqps' | 'ops' | 'Bps';

/** An expression and what its series are called. */
export type Query = readonly [expr: string, legend: string];

/** A value from which on a colour applies; null: from the beginning. */
export type Step = readonly [from: number | null, color: 'green' | 'orange' | 'red' | 'blue'];

export const quiet: readonly Step[] = [[null, 'blue']];
/** 0 is right and everything else is wrong. */
export const mustBeZero: readonly Step[] = [
  [null, 'green'],
  [1, 'red'],
];

export interface PanelOptions {
  readonly title: string;
  /** What it shows, and what is usual. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Columns of 24. */
  readonly width?: number;
  readonly height?: number;
  readonly steps?: readonly Step[];
  /** The alert whose runbook entry helps here. */
  readonly alert?: string;
}

/** Queries over time, with the references A, B, C... */
export const targets = (queries: readonly Query[]): DataqueryBuilder[] =>
  queries.map(([expr, legend], index) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode(65 + index))
      .datasource(datasource)
      .expr(expr)
      .legendFormat(legend)
      .range(),
  );

/** A query for now, as a table. */
export const instantTarget = (expr: string): DataqueryBuilder =>
  new DataqueryBuilder().refId('A').datasource(datasource).expr(expr).instant().format(PromQueryFormat.Table);

export const thresholds = (steps: readonly Step[]): Builder<{ mode: ThresholdsMode; steps: Threshold[] }> =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(([value, color]) => ({ value, color })));

/** A link to an alert's entry in the runbook. */
export const runbookLink = (alert: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder(`Runbook: ${alert}`)
    .type(DashboardLinkType.Link)
    .url(`${runbookPage}#${alert.toLowerCase()}`)
    .targetBlank(true);

const linksOf = ({ alert }: PanelOptions): DashboardLinkBuilder[] =>
  alert === undefined ? [] : [runbookLink(alert)];

/** Lines over time, with a table of the last and the highest value below. */
export const lines = (options: PanelOptions, stacked = false): TimeseriesBuilder => {
  const { title, description, unit, queries, width = 8, height = 8, steps = quiet } = options;
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .min(0)
    .span(width)
    .height(height)
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 8)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .thresholds(thresholds(steps))
    .links(linksOf(options))
    .targets(targets(queries));
  return stacked ? panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : panel;
};

/** One number for now, coloured by its steps, with its course behind. */
export const number = (options: PanelOptions): StatBuilder => {
  const { title, description, unit, queries, width = 4, height = 4, steps = quiet } = options;
  return new StatBuilder()
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .span(width)
    .height(height)
    .thresholds(thresholds(steps))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .links(linksOf(options))
    .targets(targets(queries));
};

/** Whatever builds a panel of the dashboard. */
export type PanelLike = Builder<Panel>;
