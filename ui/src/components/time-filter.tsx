import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { Filter } from '../api.ts';
import { formatDay, formatShortTime } from '../format.ts';
import { texts } from '../texts.ts';
import { filterBy } from '../view.ts';

const spans = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;

const digits = (value: number, width = 2) => String(value).padStart(width, '0');
/** A time as `datetime-local` takes it: the same moment, in the browser's time zone and to the minute. */
const toLocal = (iso: string): string => {
  if (!iso) return '';
  // Not by the zone's offset, which is no whole number of minutes in the years that come up while one is typed.
  const at = new Date(iso);
  const day = [digits(at.getFullYear(), 4), digits(at.getMonth() + 1), digits(at.getDate())].join('-');
  return `${day}T${digits(at.getHours())}:${digits(at.getMinutes())}`;
};
const fromLocal = (local: string): string => {
  const moment = new Date(local);
  return Number.isNaN(moment.getTime()) ? '' : moment.toISOString();
};

/** A day of the browser's time zone, as `date` takes it, from its midnight until the next. */
const ofDay = (day: string): Pick<Filter, 'from' | 'until'> => {
  const until = new Date(`${day}T00:00`);
  if (Number.isNaN(until.getTime())) return { from: '', until: '' };
  const from = until.toISOString();
  until.setDate(until.getDate() + 1);
  return { from, until: until.toISOString() };
};
/** The day that a filter spans; empty: it spans none. */
const toDay = ({ from, until }: Filter): string => {
  const day = toLocal(from).slice(0, 10);
  const span = ofDay(day);
  return from && span.from === from && span.until === until ? day : '';
};

const describe = (filter: Filter): string => {
  const { from, until } = filter;
  if (toDay(filter)) return formatDay(from);
  if (from && until) return texts.filter.between(formatShortTime(from), formatShortTime(until));
  if (from) return texts.filter.since(formatShortTime(from));
  return until ? texts.filter.before(formatShortTime(until)) : texts.filter.anyTime;
};

/** Chooses a span of time, in a panel that opens below. */
export const TimeFilter = ({ filter }: { filter: Filter }) => {
  const details = useRef<HTMLDetailsElement>(null);
  const tried = useRef(false);
  /** However much is tried while the panel is open, it is one step back. */
  const tryOut = (span: Partial<Filter>) => {
    filterBy({ ...filter, ...span }, tried.current);
    tried.current = true;
  };
  const close = () => {
    const element = details.current;
    if (!element?.open) return;
    // What has the focus in it is about to vanish.
    if (element.contains(document.activeElement)) element.querySelector('summary')?.focus();
    element.open = false;
  };
  useEffect(() => {
    const onPointerDown = (event: PointerEvent) => {
      if (!details.current?.contains(event.target as Node)) close();
    };
    document.addEventListener('pointerdown', onPointerDown);
    return () => document.removeEventListener('pointerdown', onPointerDown);
  });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close();
  };
  return (
    <details
      ref={details}
      className="filter-time"
      onKeyDown={onKeyDown}
      onToggle={() => {
        tried.current = false;
      }}
    >
      <summary className="select">
        <span className="visually-hidden">{texts.filter.time}: </span>
        {describe(filter)}
      </summary>
      <div className="filter-panel">
        <div className="filter-spans">
          {(Object.keys(spans) as (keyof typeof spans)[]).map((span) => (
            <button
              key={span}
              type="button"
              className="button button-small"
              onClick={() => {
                filterBy({ ...filter, from: new Date(Date.now() - spans[span]).toISOString(), until: '' });
                close();
              }}
            >
              {texts.filter.last[span]}
            </button>
          ))}
          <button
            type="button"
            className="button button-small"
            onClick={() => {
              filterBy({ ...filter, from: '', until: '' });
              close();
            }}
          >
            {texts.filter.anyTime}
          </button>
        </div>
        <label>
          <span>{texts.filter.day}</span>
          <input type="date" value={toDay(filter)} onChange={(event) => tryOut(ofDay(event.target.value))} />
        </label>
        {(['from', 'until'] as const).map((end) => (
          <label key={end}>
            <span>{texts.filter[end]}</span>
            <input
              type="datetime-local"
              value={toLocal(filter[end])}
              onChange={(event) => tryOut({ [end]: fromLocal(event.target.value) })}
            />
          </label>
        ))}
      </div>
    </details>
  );
};
