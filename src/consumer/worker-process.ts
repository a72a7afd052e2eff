import { type ChildProcess, fork } from 'node:child_process';
import { constants, getPriority, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ClassifierFault } from '../classifier/classifier.ts';
import type {
  Answer,
  FromWorker,
  ToWorker,
  WorkerJob,
  WorkerSettings,
} from '../classifier/worker-protocol.ts';
import type { Logger } from '../observability/log.ts';

/** A worker cannot start: a broken model, no memory. One line. */
export class WorkerStartError extends Error {
  readonly code = 'worker-unusable';
}

export type EndReason = 'crash' | 'deadline' | 'stopped';

export interface WorkerProcess {
  readonly pid: number;
  /** Resident memory when it was last heard of. */
  readonly rssBytes: number;
  /** Resolves once the model is loaded. Rejects with {@link WorkerStartError}. */
  readonly ready: Promise<void>;
  /** Resolves once the process is gone. */
  readonly ended: Promise<EndReason>;
  /**
   * Runs one batch, one at a time. Rejects with {@link ClassifierFault} once the process is gone: it crashed, or it
   * took longer than `deadlineMs` and was killed.
   */
  run(jobs: readonly WorkerJob[], deadlineMs: number): Promise<readonly Answer[]>;
  /** Lets an idle process end by itself. */
  stop(): void;
  kill(): void;
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 5_000;
const entry = fileURLToPath(new URL('../commands/worker.ts', import.meta.url));

/** Windows, libraries, languages; certificates that the image storage is checked against; what tests and debuggers set. */
const inherited = new RegExp(
  `^(${[
    'PATH|LANG|LC_\\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR',
    'LD_LIBRARY_PATH|LD_PRELOAD|DYLD_\\w+|MALLOC_\\w+|OMP_\\w+|VIPS_\\w+',
    'NODE_EXTRA_CA_CERTS|NODE_USE_SYSTEM_CA|SSL_CERT_FILE|SSL_CERT_DIR|NODE_OPTIONS|NODE_COMPILE_CACHE|NODE_V8_COVERAGE',
  ].join('|')})$`,
  'i',
);

/**
 * What a worker sees of our environment. Settings, AWS_... and whatever else is there may be credentials, and the
 * process that decodes anybody's bytes must find none: so this names what it may have, not what it may not.
 */
export const workerEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(environment).filter(([name]) => inherited.test(name))),
  // glibc's arenas otherwise keep the memory of large pictures.
  MALLOC_ARENA_MAX: '2',
  // Bytes. An ordinary picture's buffers, some hundred KB each, would otherwise come from the kernel and go back to it,
  // page by page, time after time: 4 % of a worker's processor time. jemalloc does no better.
  MALLOC_MMAP_THRESHOLD_: '4194304',
  MALLOC_TRIM_THRESHOLD_: '16777216',
  MALLOC_TOP_PAD_: '2097152',
});

/**
 * Node's flags for a worker. MB: V8 counts pixels to its heap, which is small; without this it would search all of it
 * every twenty pictures, which is a tenth of a worker's processor time.
 */
export const workerArguments: string[] = ['--initial-old-space-size=64'];

const spawnWorker = (): ChildProcess => {
  const child = fork(entry, {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: workerEnvironment(process.env),
    execArgv: workerArguments,
  });
  if (child.pid === undefined) return child;
  try {
    // Workers take all the processor time there is. Whoever takes in uploads needs little of it, but at once: with busy
    // workers an upload takes half as long. Threads inherit it, so before there are any.
    setPriority(child.pid, Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));
  } catch {
    // They work without it, too.
  }
  return child;
};

/** Forks a worker. */
export const forkWorker = (settings: Omit<WorkerSettings, 'parentPid'>, log: Logger): WorkerProcess => {
  const child = spawnWorker();
  const pid = child.pid ?? 0;
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<EndReason>();
  // Whoever awaits only one of the two must not be ended by the other.
  ready.promise.catch(() => {});
  let rssBytes = 0;
  let killedFor: Exclude<EndReason, 'crash'> | undefined;
  let running: PromiseWithResolvers<readonly Answer[]> | undefined;
  let deadlineMs = startTimeoutMs;
  let lastWords = '';

  const kill = (reason: Exclude<EndReason, 'crash'>) => {
    killedFor ??= reason;
    child.kill('SIGKILL');
  };
  let deadline = setTimeout(kill, startTimeoutMs, 'deadline');
  // A process that has just ended takes nothing; 'exit' tells whoever waits.
  const send = (message: ToWorker) => void child.send(message, () => {});

  const end = (how: string) => {
    clearTimeout(deadline);
    const reason = killedFor ?? 'crash';
    const [code, message] = (
      {
        deadline: ['deadline-exceeded', `no answer within ${deadlineMs} ms; the worker process was killed`],
        stopped: ['stopped', 'the worker process was stopped'],
        crash: ['worker-crashed', `the worker process ended with ${how}${lastWords && `: ${lastWords}`}`],
      } as const satisfies Record<EndReason, [ClassifierFault['code'], string]>
    )[reason];
    // First, so that nobody takes the slot of a process that is gone for idle.
    ended.resolve(reason);
    running?.reject(new ClassifierFault(code, message));
    running = undefined;
    ready.reject(new WorkerStartError(`a worker cannot start: ${message}`));
  };
  child.on('error', (error) => {
    // Nothing was started, so no 'exit' follows.
    if (child.pid === undefined) end(error.message);
  });
  child.on('exit', (code, signal) => {
    const oom = signal === 'SIGKILL' ? ' (by the system if it ran out of memory)' : '';
    end(signal ? `signal ${signal}${oom}` : `exit code ${code}`);
  });
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const words = line.trim().slice(0, 200);
      if (words === '') return;
      // Of a stack trace, the line that names the error.
      if (lastWords === '' || /error/i.test(words)) lastWords = words;
      log.warn({ pid, line: words }, 'worker says');
    });
  }
  child.on('message', (message: FromWorker) => {
    if (message.kind === 'broken') {
      ready.reject(new WorkerStartError(message.message));
      return;
    }
    // What a process says after its kill comes too late: it must not look idle before it is gone.
    if (killedFor !== undefined) return;
    clearTimeout(deadline);
    rssBytes = message.rssBytes;
    if (message.kind === 'ready') {
      ready.resolve();
      return;
    }
    running?.resolve(message.answers);
    running = undefined;
  });

  if (child.pid !== undefined) send({ kind: 'start', settings: { ...settings, parentPid: process.pid } });
  return {
    pid,
    get rssBytes() {
      return rssBytes;
    },
    ready: ready.promise,
    ended: ended.promise,
    run(jobs, limitMs) {
      running = Promise.withResolvers<readonly Answer[]>();
      const { promise } = running;
      deadlineMs = limitMs;
      deadline = setTimeout(kill, limitMs, 'deadline');
      send({ kind: 'batch', jobs });
      return promise;
    },
    stop() {
      killedFor ??= 'stopped';
      if (child.connected) child.disconnect();
      deadline = setTimeout(kill, stopTimeoutMs, 'stopped');
    },
    kill: () => kill('stopped'),
  };
};
