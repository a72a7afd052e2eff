import { styleText } from 'node:util';
import { bytesText } from './texts.ts';
import { fitting } from './width.ts';

export interface Progress {
  /** `note` stands at the end of the line. `before`: how much was done already when this began. */
  update(done: number, total?: number, note?: string, before?: number): void;
  /** Writes something that stays, above the bar. */
  above(write: () => void): void;
  /** Takes the bar away. */
  end(): void;
}

const width = 24;
const everyMs = 100;

/** `45 s`, `3 min 20 s`, `2 h 5 min` */
const leftText = (seconds: number): string => {
  const whole = Math.ceil(seconds);
  if (whole < 100) return `${whole} s`;
  if (whole < 6000) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
};

/**
 * A line on the terminal (stderr) with a bar where the total is known, the rate, and the time left; nothing elsewhere.
 * `unit`: what is counted.
 */
export const progress = (what: string, unit: 'things' | 'bytes' = 'things'): Progress => {
  const terminal = process.stderr.isTTY === true;
  const begun = performance.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  const clear = '\r\u001b[K';
  const amount = (count: number): string =>
    unit === 'bytes' ? bytesText(count) : Math.round(count).toString();
  const end = (): void => {
    if (terminal && shownAt > 0) process.stderr.write(clear);
    shownAt = Number.NEGATIVE_INFINITY;
  };
  return {
    update(done, total, note, before = 0) {
      const now = performance.now();
      if (!terminal || now - shownAt < everyMs) return;
      shownAt = now;
      const rate = Math.max(0, done - before) / Math.max(0.001, (now - begun) / 1000);
      const parts = [what, `${amount(done)}${total === undefined ? '' : ` of ${amount(total)}`}`];
      if (total !== undefined && total > 0) {
        const full = Math.min(width, Math.round((done / total) * width));
        const bar = `${'#'.repeat(full)}${'.'.repeat(width - full)}`;
        parts.splice(1, 0, `[${styleText('cyan', bar, { stream: process.stderr })}]`);
      }
      parts.push(`${amount(rate)}/s`);
      if (total !== undefined && total > done && rate > 0)
        parts.push(`${leftText((total - done) / rate)} left`);
      if (note) parts.push(note);
      process.stderr.write(clear + fitting(parts.join('  '), (process.stderr.columns || 80) - 1));
    },
    above(write) {
      end();
      write();
    },
    end,
  };
};
