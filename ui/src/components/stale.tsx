import { formatClock } from '../format.ts';
import { texts } from '../texts.ts';
import type { Polled } from '../use-polled.ts';

interface StaleProps {
  readonly polled: Polled<unknown>;
  /** Whether a screen reader is told: nothing else on the page tells. */
  readonly urgent?: boolean;
}

/** Says of an answer that is no longer renewed as of when it is. */
export const Stale = ({ polled: { value, asOf, fault }, urgent = false }: StaleProps) => {
  if (value === null || fault === null) return null;
  return (
    <p className="stale" role={urgent ? 'alert' : undefined}>
      {texts.stale(formatClock(asOf), formatClock(fault.since), fault.reason)}
    </p>
  );
};
