import { useEffect, useRef, useState } from 'react';
import { type Filter, type ImageState, isFiltered, type Model, noFilter } from '../api.ts';
import { formatCount } from '../format.ts';
import { texts } from '../texts.ts';
import { useKeptFocus } from '../use-kept-focus.ts';
import { filterBy } from '../view.ts';
import { TimeFilter } from './time-filter.tsx';

/** Long enough to type the next letter. */
const typingMs = 300;

/** What is typed counts after a pause; only its first letter adds an entry to the history. */
const TextFilter = ({ filter }: { filter: Filter }) => {
  const [text, setText] = useState(filter.text);
  const typed = useRef(false);
  // The back button, or a link: the field follows.
  useEffect(() => setText(filter.text), [filter.text]);
  useEffect(() => {
    if (text === filter.text) return;
    const timer = window.setTimeout(() => {
      filterBy({ ...filter, text }, typed.current);
      typed.current = true;
    }, typingMs);
    return () => window.clearTimeout(timer);
  }, [text, filter]);
  return (
    <label className="filter-text">
      <span>{texts.filter.text}</span>
      <input
        type="search"
        value={text}
        maxLength={200}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onBlur={() => {
          typed.current = false;
        }}
      />
    </label>
  );
};

/** Chooses which images are listed. */
export const FilterBar = ({ filter, models }: { filter: Filter; models: readonly Model[] }) => {
  const labels = new Set(models.flatMap((model) => model.labels));
  // A link may carry a label of a model that is no longer there.
  if (filter.label) labels.add(filter.label);
  const [open, setOpen] = useState(false);
  const bar = useRef<HTMLElement>(null);
  const keptFocus = useKeptFocus(bar);
  const { from, until, ...others } = filter;
  // A span of time is chosen at once, at one place.
  const conditions = [from || until, ...Object.values(others)].filter(Boolean).length;
  return (
    <>
      {/* Only a small window has it; there the images come first. */}
      <button
        type="button"
        className="button filter-toggle"
        aria-expanded={open}
        aria-controls="filter"
        onClick={() => setOpen(!open)}
      >
        {texts.filter.toggle}
        {conditions > 0 && <span className="badge">{formatCount(conditions)}</span>}
      </button>
      <search
        ref={bar}
        id="filter"
        className="filter"
        data-open={open || undefined}
        aria-label={texts.filter.title}
        {...keptFocus}
      >
        <TextFilter filter={filter} />
        <label>
          <span>{texts.filter.state}</span>
          <select
            value={filter.state}
            onChange={(event) => filterBy({ ...filter, state: event.target.value as ImageState | '' })}
          >
            <option value="">{texts.filter.any}</option>
            {Object.entries(texts.states).map(([state, text]) => (
              <option key={state} value={state}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{texts.filter.label}</span>
          <select
            value={filter.label}
            onChange={(event) => filterBy({ ...filter, label: event.target.value })}
          >
            <option value="">{texts.filter.any}</option>
            {[...labels].map((label) => (
              <option key={label}>{label}</option>
            ))}
          </select>
        </label>
        <TimeFilter filter={filter} />
        {isFiltered(filter) && (
          <button type="button" className="button button-small" onClick={() => filterBy(noFilter)}>
            {texts.filter.clear}
          </button>
        )}
      </search>
    </>
  );
};
