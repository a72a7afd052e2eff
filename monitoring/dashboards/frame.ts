import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource, type PanelLike, runbookPage } from './style.ts';

/** Panels below a headline. */
export interface Row {
  readonly title: string;
  readonly panels: readonly PanelLike[];
}

export interface Frame {
  /** `gantry-...`: part of its address. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** A metric that every namespace to choose from has. */
  readonly inNamespacesOf: string;
  readonly rows: readonly Row[];
}

const tag = 'gantry';

/** A dashboard with the variables, links and times that all of them have. */
export const dashboard = ({ uid, title, description, inNamespacesOf, rows }: Frame): Dashboard => {
  const builder: DashboardBuilder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([tag])
    .readonly()
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('namespace')
        .label('Namespace')
        .datasource(datasource)
        .query({ query: `label_values(${inNamespacesOf}, namespace)`, refId: 'namespaces' })
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        // Outside of Kubernetes the series may have no namespace.
        .allValue('.*'),
    )
    .link(
      new DashboardLinkBuilder('Gantry')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .link(
      new DashboardLinkBuilder('Runbook').type(DashboardLinkType.Link).url(runbookPage).targetBlank(true),
    );
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  return (builder as Builder<Dashboard>).build();
};
