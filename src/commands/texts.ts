import { styleText } from 'node:util';
import type { Image } from '../client/client.ts';

/** `12.3 MB` */
export const bytesText = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 0), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
};

/** `3 files`, `1 file` */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `2026-11-25 21:03:11 UTC` */
export const timeText = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`;

/** What comes from elsewhere, such as a file's name, as it may stand on a terminal: nothing in it moves a cursor. */
export const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, '\u{fffd}');

export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const colours = {
  queued: 'gray',
  processing: 'blue',
  succeeded: 'green',
  failed: 'red',
  dead: 'magenta',
} as const;

/** In colour where stdout is a terminal that has it; NO_COLOR is honoured. */
export const stateText = (state: Image['state']): string => styleText(colours[state], state);

/** What an image ended with, in a few words: its label, or why it has none. */
export const outcomeText = ({ result, error, state }: Image): string => {
  if (state === 'succeeded' && result !== null) return `${result.label} ${percent(result.confidence)}`;
  return error === null ? '' : `${plain(error.message)} (${error.code})`;
};
