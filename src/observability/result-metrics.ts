import { Counter, Histogram, type Registry } from 'prom-client';
import type { Outcome } from '../pipeline/message.ts';
import { fromZero } from './from-zero.ts';

/** Where the share of doubtful answers shows. */
const confidences = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];

/** Labels that have series, 14 each: a model of a thousand classes would be more than all the rest together. */
const mostLabels = 50;
/** Stands for those that have none. */
const more = '(more)';

export interface ResultMetrics {
  /**
   * Tells which labels results will have, so that each of them begins at 0. Of a model with more than 50 none has
   * series of its own: with those of the first that come, each server would tell of other ones.
   */
  expectLabels(labels: readonly string[]): void;
  /** Counts an outcome that was recorded. */
  ended(outcome: Outcome): void;
}

export const resultMetrics = (registry: Registry): ResultMetrics => {
  const registers = [registry];
  const outcomes = new Counter({
    name: 'gantry_outcomes_total',
    help: `Images that ended, by state (succeeded, failed, dead) and, where they succeeded, label: ${more} if the model has more than ${mostLabels}.`,
    labelNames: ['state', 'label'] as const,
    registers,
  });
  const confidence = new Histogram({
    name: 'gantry_result_confidence',
    help: `Confidence (0 to 1) of the label that an image got: ${more} if the model has more than ${mostLabels}.`,
    labelNames: ['label'] as const,
    buckets: confidences,
    registers,
  });
  for (const state of ['failed', 'dead']) outcomes.inc({ state, label: '' }, 0);
  let known = new Set<string>();
  let room = mostLabels;

  /** A label that was not expected is that of a consumer with another model, as during a rollout. */
  const labelOf = (label: string): string => {
    if (!known.has(label) && known.size >= room) return more;
    known.add(label);
    return label;
  };
  return {
    expectLabels(labels) {
      const many = labels.length > mostLabels;
      known = new Set(many ? [more] : labels);
      room = many ? 1 : mostLabels;
      for (const label of known) outcomes.inc({ state: 'succeeded', label }, 0);
      fromZero(confidence, 'label', [...known]);
    },
    ended(outcome) {
      const label = outcome.kind === 'succeeded' ? labelOf(outcome.result.label) : '';
      outcomes.inc({ state: outcome.kind, label });
      if (outcome.kind === 'succeeded') confidence.observe({ label }, outcome.result.confidence);
    },
  };
};
