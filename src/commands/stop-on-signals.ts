/** Ctrl-C under npx comes twice, from the terminal and from npm; a person is not that fast. */
const sameSignalMs = 500;

/**
 * For commands that Ctrl-C (or SIGTERM) shall leave in order: the first aborts `stop`, and `onStop` is called; the second
 * aborts `breakOff`; the third ends the process.
 */
export const stopOnSignals = (onStop: () => void): { stop: AbortSignal; breakOff: AbortSignal } => {
  const stop = new AbortController();
  const breakOff = new AbortController();
  let lastAt = Number.NEGATIVE_INFINITY;
  const onSignal = (): void => {
    const now = performance.now();
    if (now - lastAt < sameSignalMs) return;
    lastAt = now;
    if (breakOff.signal.aborted) process.exit(130);
    if (stop.signal.aborted) {
      breakOff.abort();
      return;
    }
    stop.abort();
    onStop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  return { stop: stop.signal, breakOff: breakOff.signal };
};
