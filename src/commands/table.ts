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

/** As much of an ID (UUIDv7) as differs between milliseconds, and for most images in one; and as differs for all of them. */
const beginnings = ['xxxxxxxx-xxxx-7xxx'.length, 'xxxxxxxx-xxxx-7xxx-xxxx-xx'.length];

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
  const kinds = (all: typeof rows): number => new Set(all.map((row) => row[at])).size;
  for (const length of beginnings) {
    const short = rows.map((row) => row.with(at, row[at]?.slice(0, length) ?? ''));
    if (kinds(short) === kinds(rows)) return table(head, short, columns);
  }
  return table(head, rows, columns);
};
