/** Columns as wide as their widest cell, the last one cut where the terminal ends (`columns`; 0 = nowhere). */
export const table = (head: readonly string[], rows: readonly (readonly string[])[], columns = 0): string => {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) => {
      const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
      return (columns > 0 ? line.slice(0, columns) : line).trimEnd();
    })
    .map((line) => `${line}\n`)
    .join('');
};
