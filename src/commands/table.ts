import { fitting, widthOf } from './texts.ts';

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
