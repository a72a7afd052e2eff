import { parse } from 'yaml';

/** A value of a chart: its path with dots, its default in JSON (undefined if it is only mentioned), its meaning. */
export type ValueRow = { path: string; default: string | undefined; meaning: string };

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const at = (values: unknown, path: string[]): unknown =>
  path.reduce<unknown>((value, key) => (isMap(value) ? value[key] : undefined), values);

/**
 * The values that a values.yaml gives a meaning with a comment `# -- meaning` above them. `# name: example` below
 * such a comment is a value without a default.
 */
export const valueRows = (text: string): ValueRow[] => {
  const values: unknown = parse(text);
  const rows: ValueRow[] = [];
  const parents: { indent: number; key: string }[] = [];
  let meaning: string | undefined;
  for (const line of text.split('\n')) {
    const comment = /^\s*# -- (.*)$/.exec(line);
    if (comment) {
      meaning = comment[1];
      continue;
    }
    const [, indent = '', mentioned, key] = /^(\s*)(# )?([\w.-]+):(?:\s|$)/.exec(line) ?? [];
    if (key === undefined || (mentioned && meaning === undefined)) continue;
    while ((parents.at(-1)?.indent ?? -1) >= indent.length) parents.pop();
    const path = [...parents.map((parent) => parent.key), key];
    if (!mentioned) parents.push({ indent: indent.length, key });
    if (meaning === undefined) continue;
    const fallback = at(values, path);
    rows.push({
      path: path.join('.'),
      default: mentioned || fallback === undefined ? undefined : JSON.stringify(fallback),
      meaning,
    });
    meaning = undefined;
  }
  return rows;
};

/** The values that have no meaning: neither they nor what they are in is commented. */
export const withoutMeaning = (text: string): string[] => {
  const known = new Set(valueRows(text).map(({ path }) => path));
  const leaves = (value: unknown, path: string[]): string[] => {
    if (known.has(path.join('.'))) return [];
    if (isMap(value) && Object.keys(value).length > 0) {
      return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
    }
    return [path.join('.')];
  };
  return leaves(parse(text), []);
};
