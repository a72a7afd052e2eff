import type { Ledger } from './ledger.ts';

/** One step as it went. */
export interface Done {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly reason?: string;
  /** `Date.now()`. */
  readonly began: number;
  readonly seconds: number;
  /** Of those uploads that began meanwhile. */
  readonly uploads: number;
  /** Requests that were not answered with 202, and so repeated. */
  readonly refused: number;
  /** Longest that a client waited for its 202, repeated requests included. */
  readonly longestWaitMs: number;
  /** Known once the books are balanced. */
  readonly attemptsLost?: number;
}

/** A namespace's books. */
export interface Balanced {
  readonly scenario: string;
  readonly ledger: Ledger;
}

const marks = { passed: 'ok', failed: 'FAILED', skipped: 'skipped' } as const;

/** The line that a step ends with. */
export const stepLine = ({
  name,
  outcome,
  reason,
  seconds,
  uploads,
  refused,
  longestWaitMs,
}: Done): string => {
  const load =
    uploads === 0 ? '' : `, ${uploads} uploads, ${refused} refused, longest wait ${longestWaitMs} ms`;
  const why = reason === undefined ? '' : `: ${reason}`;
  return outcome === 'skipped'
    ? `skipped  ${name}${why}`
    : `${marks[outcome].padEnd(8)} ${name} (${seconds.toFixed(1)} s${load})${why}`;
};

/** The whole run as a table. */
export const asTable = (done: readonly Done[], balanced: readonly Balanced[]): string => {
  const rows = done.map(({ name, outcome, seconds, uploads, refused, longestWaitMs, attemptsLost }) => [
    name,
    marks[outcome],
    outcome === 'skipped' ? '' : seconds.toFixed(1),
    ...(uploads === 0 ? ['', '', '', ''] : [uploads, refused, longestWaitMs, attemptsLost ?? ''].map(String)),
  ]);
  const head = ['step', '', 'seconds', 'uploads', 'refused', 'longest interruption (ms)', 'attempts lost'];
  const widths = head.map((title, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0), title.length),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const books = balanced.map(
    ({ scenario, ledger: { accepted, lost, duplicates } }) =>
      `${scenario}: ${accepted} images accepted, ${lost} lost, ${duplicates} duplicates`,
  );
  return `${[line(head), ...rows.map(line), ...(books.length === 0 ? [] : ['', ...books])].join('\n')}\n`;
};
