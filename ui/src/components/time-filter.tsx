import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { Filter } from '../api.ts';
import { formatShortTime } from '../format.ts';
import { texts } from '../texts.ts';
import { filterBy } from '../view.ts';

const spans = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;

/** A time as `datetime-local` takes it: the same moment, in the browser's time zone and to the minute. */
const toLocal = (iso: string): string => {
  if (!iso) return '';
  const moment = new Date(iso);
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const fromLocal = (local: string): string => {
  const moment = new Date(local);
  return Number.isNaN(moment.getTime()) ? '' : moment.toISOString();
};

const describe = ({ from, until }: Filter): string => {
  if (from && until) return texts.filter.between(formatShortTime(from), formatShortTime(until));
  if (from) return texts.filter.since(formatShortTime(from));
  return until ? texts.filter.before(formatShortTime(until)) : texts.filter.anyTime;
};

/** Chooses a span of time, in a panel that opens below. */
export const TimeFilter = ({ filter }: { filter: Filter }) => {
  const details = useRef<HTMLDetailsElement>(null);
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
    <details ref={details} className="filter-time" onKeyDown={onKeyDown}>
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
        {(['from', 'until'] as const).map((end) => (
          <label key={end}>
            <span>{texts.filter[end]}</span>
            <input
              type="datetime-local"
              value={toLocal(filter[end])}
              onChange={(event) => filterBy({ ...filter, [end]: fromLocal(event.target.value) }, true)}
            />
          </label>
        ))}
      </div>
    </details>
  );
};
