// No locale is given anywhere here: the browser's own applies.
const percent = new Intl.NumberFormat(undefined, { style: 'percent', roundingMode: 'floor' });
const finePercent = new Intl.NumberFormat(undefined, {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  roundingMode: 'floor',
});
const integer = new Intl.NumberFormat();
const rate = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 });
const zoom = new Intl.NumberFormat(undefined, { style: 'percent' });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const shortDateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

const quantity = (value: number, unit: string, unitDisplay: 'short' | 'long' = 'short') =>
  new Intl.NumberFormat(undefined, {
    style: 'unit',
    unit,
    unitDisplay,
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);

/** A share from 0 to 1 as whole percent, rounded down: only certainty reads as 100 %. */
export const formatShare = (share: number): string => percent.format(share);

/** A share from 0 to 1 as percent with one decimal, rounded down. */
export const formatFineShare = (share: number): string => finePercent.format(share);

export const formatCount = (count: number): string => integer.format(count);

/** A rate or another small number, two digits of it; from a hundred on a whole number. */
export const formatRate = (value: number): string => (value < 100 ? rate : integer).format(value);

/** A factor as percent: 1.5 is 150 %. */
export const formatZoom = (factor: number): string => zoom.format(factor);

/** A size in bytes, in the largest unit that keeps it above one. */
export const formatBytes = (bytes: number): string => {
  if (bytes < 1000) return quantity(bytes, 'byte', 'long');
  if (bytes < 1_000_000) return quantity(bytes / 1000, 'kilobyte');
  if (bytes < 1_000_000_000) return quantity(bytes / 1_000_000, 'megabyte');
  return quantity(bytes / 1_000_000_000, 'gigabyte');
};

/** A duration in milliseconds, in the largest unit that keeps it above one. */
export const formatDuration = (ms: number, unitDisplay: 'short' | 'long' = 'short'): string => {
  if (ms < 1000) return quantity(ms, 'millisecond', unitDisplay);
  if (ms < 60_000) return quantity(ms / 1000, 'second', unitDisplay);
  if (ms < 3_600_000) return quantity(ms / 60_000, 'minute', unitDisplay);
  if (ms < 86_400_000) return quantity(ms / 3_600_000, 'hour', unitDisplay);
  return quantity(ms / 86_400_000, 'day', unitDisplay);
};

/** An ISO 8601 time with seconds. */
export const formatTime = (iso: string): string => dateTime.format(new Date(iso));

/** An ISO 8601 time to the minute. */
export const formatShortTime = (iso: string): string => shortDateTime.format(new Date(iso));

/** The day of an ISO 8601 time. */
export const formatDay = (iso: string): string => day.format(new Date(iso));

/** The time of day of a moment in milliseconds since the epoch. */
export const formatClock = (moment: number): string => clock.format(moment);
