import type { Filter, ImageState, Model } from '../api.ts';
import { texts } from '../texts.ts';

interface FilterBarProps {
  readonly filter: Filter;
  readonly models: readonly Model[];
  readonly onChange: (filter: Filter) => void;
}

/** Chooses which images are listed. */
export const FilterBar = ({ filter, models, onChange }: FilterBarProps) => {
  const labels = new Set(models.flatMap((model) => model.labels));
  // A link may carry a label of a model that is no longer there.
  if (filter.label) labels.add(filter.label);
  return (
    <search className="filter" aria-label={texts.filter.title}>
      <label>
        <span>{texts.filter.state}</span>
        <select
          value={filter.state}
          onChange={(event) => onChange({ ...filter, state: event.target.value as ImageState | '' })}
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
        <select value={filter.label} onChange={(event) => onChange({ ...filter, label: event.target.value })}>
          <option value="">{texts.filter.any}</option>
          {[...labels].map((label) => (
            <option key={label}>{label}</option>
          ))}
        </select>
      </label>
    </search>
  );
};
