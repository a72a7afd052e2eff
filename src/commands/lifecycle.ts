import type { Logger } from '../observability/log.ts';

/** The program cannot start as it is set up: one line for the user, exit code 1. */
export class StartError extends Error {
  readonly code = 'cannot-start';
}

export interface Phase {
  readonly name: string;
  run(): Promise<unknown>;
}

/** Ctrl-C under `npm start` comes twice, from the terminal and from npm; a person is not that fast. */
const sameSignalMs = 500;

const limited = async ({ name, run }: Phase, timeoutMs: number, log: Logger): Promise<void> => {
  const timeout = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => timeout.resolve('late'), timeoutMs);
  try {
    const ended = await Promise.race([run(), timeout.promise]);
    if (ended === 'late') log.warn({ phase: name, timeoutMs }, 'shutdown phase took too long; going on');
  } catch (err) {
    log.error({ err, phase: name }, 'shutdown phase failed');
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Waits for SIGINT or SIGTERM, then runs the phases one after the other, each at most `timeoutMs`, and exits with 0.
 * A second signal exits with 130 at once. `onSignal` is called first.
 */
export const untilSignal = (
  log: Logger,
  timeoutMs: number,
  phases: readonly Phase[],
  onSignal: () => void,
): void => {
  let begunAt: number | undefined;
  const shutDown = async (signal: NodeJS.Signals): Promise<void> => {
    if (begunAt !== undefined) {
      if (performance.now() - begunAt < sameSignalMs) return;
      log.warn('forced to stop');
      process.exit(130);
    }
    begunAt = performance.now();
    log.info({ signal }, 'shutting down; once more to force it');
    onSignal();
    for (const phase of phases) await limited(phase, timeoutMs, log);
    log.info('stopped');
    process.exit(0);
  };
  process.on('SIGINT', shutDown);
  process.on('SIGTERM', shutDown);
};
