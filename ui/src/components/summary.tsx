import type { Summary as Counts } from '../api.ts';
import { formatCount, formatDuration, formatRate } from '../format.ts';
import { texts } from '../texts.ts';
import type { Polled } from '../use-polled.ts';
import { Stale } from './stale.tsx';
import { ThroughputChart } from './throughput-chart.tsx';

const { summary } = texts;

const Figure = ({ name, value, mark }: { name: string; value: string; mark: string }) => (
  <div className={`figure figure-${mark}`} data-none={value === '–' || value === formatCount(0) || undefined}>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

/** How many images wait, are worked on, are done or failed, how fast it goes, and what waits longest. */
export const Summary = ({ counts }: { counts: Polled<Counts> }) => {
  const { value, fault } = counts;
  if (!value && fault) return <p className="summary summary-missing">{summary.missing}</p>;
  const oldest = value?.oldestUnfinishedAt;
  const waits = value && oldest ? Math.max(0, Date.parse(value.at) - Date.parse(oldest)) : null;
  // The same boxes before the first answer: nothing moves when it comes.
  const count = (of: (states: Counts['states']) => number) => (value ? formatCount(of(value.states)) : '–');
  return (
    <section className="summary" aria-label={summary.title} aria-busy={!value}>
      <dl>
        <Figure name={summary.waiting} mark="waiting" value={count(({ queued }) => queued)} />
        <Figure name={summary.working} mark="working" value={count(({ processing }) => processing)} />
        <Figure name={summary.done} mark="done" value={count(({ succeeded }) => succeeded)} />
        <Figure name={summary.failed} mark="failed" value={count(({ failed, dead }) => failed + dead)} />
        <Figure
          name={summary.perSecond}
          mark="rate"
          value={value ? formatRate(value.throughput.perSecond) : '–'}
        />
        <Figure
          name={summary.oldest}
          mark="oldest"
          value={waits === null ? (value ? summary.nothingWaits : '–') : formatDuration(waits)}
        />
      </dl>
      <ThroughputChart throughput={value?.throughput ?? null} />
      <Stale polled={counts} />
    </section>
  );
};
