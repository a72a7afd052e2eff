import { fitting, widthOf } from './width.ts';

/** Columns as wide as their widest cell, the last one cut where the terminal ends (`columns`; 0 = nowhere). */
export const table = (head: readonly string[], rows: readonly (readonly string[])[], columns = 0): string => {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ''))));
  return all
    .map((row) => {
      const padded = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)));
      const line = padded.join('  ').trimEnd();
      return `${columns > 0 ? fitting(line, columns) : line}\n`;
    })
    .join('');
};

/** Digits of an ID (UUIDv7) that differ even if two images come in the same millisecond. */
const beginning = 'xxxxxxxx-xxxx-7xxx'.length;

/**
 * A table with a column `ID`. Where the terminal is too narrow, it has a beginning of each that tells it from the others:
 * commands take it, and what else the row says is worth more.
 */
export const imageTable = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns = 0,
): string => {
  const whole = table(head, rows);
  if (columns === 0 || whole.split('\n').every((line) => widthOf(line) <= columns)) return whole;
  const at = head.indexOf('ID');
  const short = rows.map((row) => row.with(at, row[at]?.slice(0, beginning) ?? ''));
  const kinds = (all: typeof rows): number => new Set(all.map((row) => row[at])).size;
  return table(head, kinds(short) === kinds(rows) ? short : rows, columns);
};
