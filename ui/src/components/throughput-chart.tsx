import type { Summary } from '../api.ts';
import { formatCount, formatDuration, formatRate } from '../format.ts';
import { texts } from '../texts.ts';

const width = 300;
const height = 60;

/** A line through the steps, as a path; `closed`: down to the ground, to be filled. */
const path = (values: readonly number[], most: number, closed: boolean): string => {
  const x = (at: number) => (at * width) / Math.max(1, values.length - 1);
  const y = (value: number) => height - 2 - (value / most) * (height - 6);
  const line = values.map((value, at) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('L');
  return closed ? `M0 ${height}L${line}L${width} ${height}Z` : `M${line}`;
};

const sum = (series: Summary['throughput']['series'], key: 'accepted' | 'finished') =>
  series.reduce((total, step) => total + step[key], 0);

/** Images accepted and finished in the last minutes; in words for who cannot see it. */
export const ThroughputChart = ({ throughput }: { throughput: Summary['throughput'] | null }) => {
  const { summary } = texts;
  if (!throughput || throughput.series.length === 0) return <figure className="chart" aria-hidden="true" />;
  const { series, stepSeconds } = throughput;
  const accepted = series.map((step) => step.accepted);
  const finished = series.map((step) => step.finished);
  const busiest = Math.max(...accepted, ...finished);
  const most = Math.max(1, busiest);
  const span = formatDuration(series.length * stepSeconds * 1000, 'long');
  const text = summary.chartText(
    span,
    formatCount(sum(series, 'accepted')),
    formatCount(sum(series, 'finished')),
    formatRate(Math.max(0, ...finished) / stepSeconds),
  );
  return (
    <figure className="chart">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={text}
        focusable="false"
      >
        <path className="chart-ground" d={`M0 ${height - 1}H${width}`} />
        <path className="chart-finished" d={path(finished, most, true)} />
        <path className="chart-finished-line" d={path(finished, most, false)} />
        <path className="chart-accepted" d={path(accepted, most, false)} />
      </svg>
      <figcaption aria-hidden="true">
        <span className="chart-key chart-key-accepted">{summary.accepted}</span>
        <span className="chart-key chart-key-finished">{summary.finished}</span>
        <span className="chart-span">
          {formatDuration(series.length * stepSeconds * 1000)}
          {busiest > 0 && ` · ${summary.most(formatRate(busiest / stepSeconds))}`}
        </span>
      </figcaption>
    </figure>
  );
};
