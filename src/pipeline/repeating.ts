import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from '../observability/log.ts';
import { outsideTraces } from '../observability/tracing.ts';

export interface Repeating {
  /** Runs the task now, or right after the run under way. */
  wake(): void;
  /** Resolves when no run is under way and none will begin. */
  stop(): Promise<void>;
}

/**
 * Runs `task` every `intervalMs`, never two at once. A run that throws is logged, the first of several in a row as an
 * error, and the next one comes as usual. A task that returns true has more to do: it runs again at once.
 */
export const repeating = (
  name: string,
  intervalMs: number,
  log: Logger,
  task: () => Promise<boolean>,
): Repeating => {
  let stopped = false;
  let running: Promise<void> | undefined;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let failing = false;

  const run = async (): Promise<boolean> => {
    try {
      const more = await task();
      if (failing) log.info(`${name} works again`);
      failing = false;
      return more;
    } catch (err) {
      log[failing ? 'debug' : 'error']({ err }, `${name} failed; it is tried again`);
      failing = true;
      return false;
    }
  };
  const runs = async (): Promise<void> => {
    do {
      // Whoever else wakes it in this turn of the event loop needs no run more. Besides, an embedded database answers at
      // once: without this no request would be served until all is done.
      await turn();
      again = false;
      if (await run()) again = true;
    } while (again && !stopped);
    running = undefined;
    if (!stopped) timer = setTimeout(wake, intervalMs);
  };
  const wake = (): void => {
    if (stopped) return;
    clearTimeout(timer);
    if (running) again = true;
    // Whoever wakes it may be in a trace, and every later run would be in that too.
    else running = outsideTraces(runs);
  };
  timer = setTimeout(wake, intervalMs);
  return {
    wake,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
