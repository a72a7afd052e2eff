import type { Manifest } from './manifest-schema.ts';

export const softmax = (values: readonly number[]): number[] => {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
};

/** The `count` best values with their names, best first. */
export const best = (
  values: readonly number[],
  names: readonly string[],
  count: number,
): { label: string; score: number }[] => {
  const leaders: { label: string; score: number }[] = [];
  // Not sorted as a whole: of a thousand classes, five are told.
  for (let index = 0; index < values.length; index++) {
    const score = values[index] ?? 0;
    let place = leaders.length;
    while (place > 0 && (leaders[place - 1]?.score ?? 0) < score) place -= 1;
    if (place === count) continue;
    leaders.splice(place, 0, { label: names[index] ?? String(index), score });
    if (leaders.length > count) leaders.pop();
  }
  return leaders;
};

/** Applies the manifest's rule to the scores of its labels. */
export const decide = (
  rule: Manifest['decision'],
  scores: Readonly<Record<string, number>>,
): { label: string; confidence: number } => {
  const [label, confidence] = Object.entries(scores).reduce((a, b) => (b[1] > a[1] ? b : a));
  if (rule.rule === 'threshold' && confidence < (rule.minimum[label] ?? 0)) {
    return { label: rule.otherwise, confidence: scores[rule.otherwise] ?? 0 };
  }
  return { label, confidence };
};
