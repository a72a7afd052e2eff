export interface Progress {
  update(done: number, total?: number): void;
  /** Takes the bar away. */
  end(): void;
}

const width = 24;
const everyMs = 100;

/** A line on the terminal (stderr) with a bar where the total is known, the rate, and the time left; nothing elsewhere. */
export const progress = (what: string): Progress => {
  const terminal = process.stderr.isTTY === true;
  const begun = performance.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  const clear = '\r\u001b[K';
  return {
    update(done, total) {
      const now = performance.now();
      if (!terminal || now - shownAt < everyMs) return;
      shownAt = now;
      const rate = done / Math.max(0.001, (now - begun) / 1000);
      const parts = [what, `${done}${total === undefined ? '' : ` of ${total}`}`, `${rate.toFixed(0)}/s`];
      if (total !== undefined && total > 0) {
        const full = Math.round((done / total) * width);
        parts.splice(1, 0, `[${'#'.repeat(full)}${'.'.repeat(width - full)}]`);
        parts.push(`${Math.ceil((total - done) / Math.max(rate, 0.001))} s left`);
      }
      process.stderr.write(clear + parts.join('  '));
    },
    end() {
      if (terminal && shownAt > 0) process.stderr.write(clear);
    },
  };
};
