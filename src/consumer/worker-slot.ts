import type { Answer, WorkerJob } from '../classifier/worker-protocol.ts';
import type { Logger } from '../observability/log.ts';
import { type EndReason, type WorkerProcess, WorkerStartError } from './worker-process.ts';

export type RestartReason = Exclude<EndReason, 'stopped'> | 'memory';

export interface SlotStats {
  /** Of the present process; undefined while there is none. */
  readonly pid: number | undefined;
  readonly rssBytes: number;
  /** `down`: the process has ended, or is being started. */
  readonly state: 'idle' | 'busy' | 'down';
  /** Processes started after the first. */
  readonly restarts: number;
}

export interface WorkerSlot {
  readonly idle: boolean;
  stats(): SlotStats;
  /** For an idle slot only. Rejects as {@link WorkerProcess.run}. */
  run(jobs: readonly WorkerJob[], deadlineMs: number): Promise<readonly Answer[]>;
  /** Ends the process, at once if `kill`, and starts no other. Resolves when it is gone. */
  stop(kill: boolean): Promise<void>;
}

export interface SlotOptions {
  readonly fork: () => WorkerProcess;
  readonly memoryLimitBytes: number;
  readonly log: Logger;
  /** The slot has become idle. */
  readonly onIdle: () => void;
  readonly onRestart: (reason: RestartReason, pid: number) => void;
}

const firstBackoffMs = 100;
const lastBackoffMs = 10_000;
const mb = (bytes: number): number => Math.round(bytes / 1e6);

/** A model that fails for every picture must not keep the machine busy with starting processes. */
const backoffMs = (failures: number): number =>
  Math.min(lastBackoffMs, firstBackoffMs * 2 ** failures) * (0.5 + Math.random() / 2);

/**
 * One place for a worker process. Whenever the process ends, another one is started, after a pause that grows with
 * every end without a finished batch between. Rejects with {@link WorkerStartError} if the first one cannot start.
 */
export const startSlot = async (options: SlotOptions): Promise<WorkerSlot> => {
  const { fork, memoryLimitBytes, log, onIdle, onRestart } = options;
  let worker: WorkerProcess | undefined;
  let ready = false;
  let busy = false;
  let stopped = false;
  let failures = 0;
  let restarts = 0;
  let retiring = false;
  let begun = false;
  let retry: NodeJS.Timeout | undefined;

  const start = async (): Promise<void> => {
    const mine = fork();
    worker = mine;
    mine.ended.then((reason) => {
      worker = undefined;
      ready = false;
      if (stopped) return;
      const why: RestartReason = retiring ? 'memory' : reason === 'stopped' ? 'crash' : reason;
      // The first start is the caller's to judge; it rejects.
      if (begun) again(why, mine.pid);
    });
    const gone = (): Promise<unknown> => {
      mine.kill();
      return mine.ended;
    };
    await mine.ready.catch(async (error) => {
      await gone();
      throw error;
    });
    if (mine.rssBytes > memoryLimitBytes) {
      await gone();
      const sizes = `${mb(mine.rssBytes)} MB after loading the model, its limit is ${mb(memoryLimitBytes)} MB`;
      throw new WorkerStartError(`the memory limit of a worker is too small: it has ${sizes}`);
    }
    ready = true;
  };

  const again = (reason: RestartReason, pid: number): void => {
    const pauseMs = retiring ? 0 : backoffMs(failures++);
    retiring = false;
    restarts++;
    log.warn({ pid, reason, pauseMs: Math.round(pauseMs) }, 'worker process ended; starting another');
    onRestart(reason, pid);
    retry = setTimeout(() => {
      start().then(onIdle, (err) => {
        if (!stopped) log.error({ err }, 'worker process cannot start');
      });
    }, pauseMs);
  };

  await start();
  begun = true;

  return {
    get idle() {
      return ready && !busy && !stopped && !retiring;
    },
    stats: () => ({
      pid: worker?.pid,
      rssBytes: worker?.rssBytes ?? 0,
      state: !ready ? 'down' : busy ? 'busy' : 'idle',
      restarts,
    }),
    async run(jobs, deadlineMs) {
      const mine = worker;
      if (!mine || !ready || busy) throw new Error('the slot is not idle');
      busy = true;
      try {
        const answers = await mine.run(jobs, deadlineMs);
        failures = 0;
        if (mine.rssBytes > memoryLimitBytes && !stopped) {
          // The old one first: two at once are what a memory limit cannot bear.
          retiring = true;
          const rss = mb(mine.rssBytes);
          log.warn(
            { pid: mine.pid, rssMb: rss, limitMb: mb(memoryLimitBytes) },
            'worker has grown too large',
          );
          mine.stop();
        }
        return answers;
      } finally {
        busy = false;
      }
    },
    async stop(kill) {
      stopped = true;
      clearTimeout(retry);
      if (kill || !ready) worker?.kill();
      else worker?.stop();
      await worker?.ended;
    },
  };
};
