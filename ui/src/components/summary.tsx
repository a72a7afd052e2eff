import type { Image, ImageState } from '../api.ts';
import { formatCount } from '../format.ts';
import { texts } from '../texts.ts';

const groups: readonly { key: 'waiting' | 'working' | 'done' | 'failed'; states: readonly ImageState[] }[] = [
  { key: 'waiting', states: ['queued'] },
  { key: 'working', states: ['processing'] },
  { key: 'done', states: ['succeeded'] },
  { key: 'failed', states: ['failed', 'dead'] },
];

/** How many of the images listed wait, are worked on, are done, or failed. */
export const Summary = ({ images }: { images: readonly Image[] }) => (
  <ul className="summary" aria-label={texts.summary.title}>
    {groups.map(({ key, states }) => (
      <li key={key} className={`summary-${key}`}>
        <b>{formatCount(images.filter(({ state }) => states.includes(state)).length)}</b> {texts.summary[key]}
      </li>
    ))}
  </ul>
);
