import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { parse } from 'yaml';
import { dashboards } from './generated.ts';

/** The folder of the rule files; their tests lie in tests/ under the same names. */
export const rulesFolder = fileURLToPath(new URL('../../monitoring/rules', import.meta.url));

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Every rule, with the name of its file without `.yaml`. */
export const allRules = (): { readonly file: string; readonly rule: Rule }[] =>
  readdirSync(rulesFolder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => {
      const { groups } = parse(readFileSync(join(rulesFolder, name), 'utf8')) as {
        groups: { rules: Rule[] }[];
      };
      return groups.flatMap(({ rules }) => rules.map((rule) => ({ file: basename(name, '.yaml'), rule })));
    });

/** An expression of a dashboard or a rule, and where it is. */
export interface Expression {
  readonly where: string;
  readonly expr: string;
  /** Labels that the name of its series shows. */
  readonly legend: readonly string[];
}

/** A panel as Grafana is given it, as far as it is read here. */
export interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat?: string;
    readonly datasource: { readonly uid: string };
  }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly links?: readonly { readonly url: string }[];
}

/** The panels of a dashboard, headlines among them. */
export const panelsOf = ({ panels = [] }: Dashboard): Panel[] => JSON.parse(JSON.stringify(panels));

/** Every expression of the dashboards. */
export const dashboardExpressions = (): Expression[] =>
  dashboards.flatMap((dashboard) =>
    panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
      targets.map(({ expr, legendFormat = '' }) => ({
        where: `${dashboard.title}: ${title}`,
        // Grafana puts a duration in its place.
        expr: expr.replaceAll('$__rate_interval', '5m'),
        legend: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].flatMap(([, label]) => label ?? []),
      })),
    ),
  );

/** Every expression of the rules. */
export const ruleExpressions = (): Expression[] =>
  allRules().map(({ file, rule }) => ({
    where: `${file}: ${rule.alert ?? rule.record}`,
    expr: rule.expr,
    legend: [
      ...Object.values(rule.annotations ?? {})
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g),
    ].flatMap(([, label]) => label ?? []),
  }));
