import type { Planned } from './schedule.ts';

/** One fault as it went. */
export interface Happened {
  readonly fault: Planned;
  /** `Date.now()`. */
  readonly beganAt: number;
  readonly lastedMs: number;
  /** Undefined: not within the limit. */
  readonly recoveryMs: number | undefined;
  /** Answers other than 202, and requests without an answer, from its beginning to the recovery. */
  readonly refusals: number;
}

export interface Result {
  readonly seed: number;
  readonly command: string;
  readonly machine: string;
  readonly seconds: number;
  readonly happened: readonly (Happened & { readonly attemptsWasted: number; readonly slowestMs: number })[];
  readonly accepted: number;
  /** Of them, until the system had recovered from the last fault. */
  readonly acceptedMeanwhile: number;
  readonly lost: number;
  readonly duplicateResults: number;
  readonly attemptsWasted: number;
  readonly redeliveries: number;
  readonly repeatedOutcomes: number;
  readonly refusals: number;
  readonly orphans: number;
  /** What must not have happened. */
  readonly problems: readonly string[];
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;

const inSeconds = (ms: number): string => (Number.isFinite(ms) ? (ms / 1000).toFixed(1) : '-');

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const line = (kind: string, of: Result['happened']): string => {
  const times = of.map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const cells = [
    kind,
    of.length,
    inSeconds(quantile(times, 0.5)),
    inSeconds(quantile(times, 0.99)),
    inSeconds(quantile(times, 1)),
    inSeconds(Math.max(...of.map(({ slowestMs }) => slowestMs))),
    sum(of.map(({ refusals }) => refusals)),
    sum(of.map(({ attemptsWasted }) => attemptsWasted)),
  ];
  return `| ${cells.join(' | ')} |`;
};

/** The run as Markdown: one line a kind of fault, then the totals. */
export const asMarkdown = (result: Result): string => {
  const kinds = Object.groupBy(result.happened, ({ fault }) => fault.kind.name);
  const totals: [string, string | number][] = [
    ['images accepted', result.accepted],
    ['of them while the faults went on', result.acceptedMeanwhile],
    ['lost', result.lost],
    ['duplicate results or final events', result.duplicateResults],
    ['attempts wasted (beyond the first of each image)', result.attemptsWasted],
    ['jobs and results delivered again by the broker', result.redeliveries],
    ['outcomes that came again and changed nothing', result.repeatedOutcomes],
    ['upload requests refused or unanswered, all tried again', result.refusals],
    ['originals left by such uploads', result.orphans],
    ['faults', result.happened.length],
    ['duration', `${Math.round(result.seconds)} s`],
  ];
  return [
    `Made with \`${result.command}\` on ${result.machine}.`,
    '',
    '| fault | count | recovery p50 (s) | p99 (s) | max (s) | slowest image (s) | uploads refused | attempts wasted |',
    '|---|---|---|---|---|---|---|---|',
    ...Object.keys(kinds)
      .sort()
      .map((kind) => line(kind, kinds[kind] ?? [])),
    '',
    '| total | |',
    '|---|---|',
    ...totals.map(([what, value]) => `| ${what} | ${value} |`),
    '',
  ].join('\n');
};

/** What is needed to see a failed run again. */
export const asFailure = ({ seed, problems, happened }: Result, startedAt: number): string =>
  [
    `SEED=${seed}; ${problems.length} problems:`,
    ...problems.map((text) => `  - ${text}`),
    'faults, in seconds since the start:',
    ...happened.map(
      ({ fault, beganAt, lastedMs, recoveryMs }) =>
        `  ${inSeconds(beganAt - startedAt)} ${fault.kind.name} (lasted ${inSeconds(lastedMs)}, recovered in ${inSeconds(recoveryMs ?? Number.NaN)})`,
    ),
    '',
  ].join('\n');
