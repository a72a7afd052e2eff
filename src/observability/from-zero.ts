import type { Counter, Histogram } from 'prom-client';

/**
 * Lets a counter or histogram begin at 0 for each of these values of its label: `rate()` and `increase()` do not see
 * the first event of a series that begins with it.
 */
export const fromZero = <Label extends string>(
  metric: Counter<Label> | Histogram<Label>,
  label: Label,
  values: readonly string[],
): void => {
  for (const value of values) {
    const labels = { [label]: value } as Record<Label, string>;
    if ('zero' in metric) metric.zero(labels);
    else metric.inc(labels, 0);
  }
};
