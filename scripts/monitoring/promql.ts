import { parser } from '@prometheus-io/lezer-promql';

/** A metric in an expression, and the labels that are asked of it. */
export interface Selected {
  readonly name: string;
  readonly labels: readonly string[];
}

/** What an expression reads. */
export interface Reads {
  readonly selectors: readonly Selected[];
  /** Labels that results are grouped by or matched on. */
  readonly grouping: readonly string[];
}

/** The metrics and labels of a PromQL expression. Throws a SyntaxError for one that is none. */
export const readsOf = (expression: string): Reads => {
  const selectors: { name: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  let grouped = false;
  parser.parse(expression).iterate({
    enter({ type, from, to }) {
      const text = expression.slice(from, to);
      if (type.isError)
        throw new SyntaxError(`no PromQL at character ${from}: ${expression.slice(from, from + 40)}`);
      if (type.name === 'VectorSelector') selectors.push({ name: '', labels: [] });
      if (type.name === 'GroupingLabels') grouped = true;
      const selector = selectors.at(-1);
      if (type.name === 'Identifier' && selector?.name === '') selector.name = text;
      if (type.name === 'LabelName') (grouped ? grouping : selector?.labels)?.push(text);
    },
    leave({ type }) {
      if (type.name === 'GroupingLabels') grouped = false;
    },
  });
  return { selectors, grouping };
};
