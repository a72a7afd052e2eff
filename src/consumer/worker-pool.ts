import { type Classified, type Classifier, ClassifierFault, type Refused } from '../classifier/classifier.ts';
import { loadModel, type Model } from '../classifier/manifest.ts';
import type { WorkerJob } from '../classifier/worker-protocol.ts';
import type { Logger } from '../observability/log.ts';
import type { Job } from '../pipeline/message.ts';
import { createBatchQueue } from './batch-queue.ts';
import { type ImageSource, sourceOf, workerJob } from './worker-images.ts';
import { forkWorker } from './worker-process.ts';
import { type RestartReason, type SlotStats, startSlot, type WorkerSlot } from './worker-slot.ts';

export type { ImageSource } from './worker-images.ts';

/** For metrics and tests. */
export type PoolEvent =
  | { readonly kind: 'batch-started'; readonly pid: number; readonly pictures: number }
  | { readonly kind: 'batch-ended'; readonly pid: number; readonly pictures: number; readonly ms: number }
  | { readonly kind: 'restarted'; readonly pid: number; readonly reason: RestartReason };

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly modelDir: string;
  readonly images: ImageSource;
  /** Most pictures that go through the model together. */
  readonly maxBatch: number;
  /** How long a batch that is not full waits for more; 0 = not at all. */
  readonly maxWaitMs: number;
  /** A worker that has a batch for longer is killed. */
  readonly deadlineMs: number;
  /** A worker that holds more after a batch is replaced. */
  readonly memoryLimitBytes: number;
  readonly maxPixels: number;
  readonly log: Logger;
  readonly onEvent?: (event: PoolEvent) => void;
}

export interface WorkerPool {
  readonly classifier: Classifier;
  readonly model: Model;
  stats(): SlotStats[];
  /**
   * Takes nothing more; what waits is rejected with `stopped`. Running batches have until their deadline, at most
   * `limitMs`, then their processes are killed. Resolves when every process is gone.
   */
  stop(limitMs?: number): Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (outcome: Classified | Refused) => void;
  readonly reject: (fault: ClassifierFault) => void;
}

/** What befalls a whole batch, whichever of its pictures is the cause. */
const neighbourMayBeToBlame = new Set<ClassifierFault['code']>([
  'worker-crashed',
  'deadline-exceeded',
  'inference-failed',
]);

const stoppedFault = () => new ClassifierFault('stopped', 'the workers are being stopped');

/**
 * Starts the worker processes and resolves when all are ready; rejects with a `ManifestError` or `WorkerStartError`
 * of one line, leaving no process, if one cannot start.
 *
 * When a batch of several pictures fails, each of them is run again alone, so only a picture that fails by itself
 * costs its image an attempt.
 */
export const startWorkerPool = async (options: WorkerPoolOptions): Promise<WorkerPool> => {
  const { workers, modelDir, images, maxPixels, deadlineMs, memoryLimitBytes, log, onEvent } = options;
  const model = await loadModel(modelDir);
  const queue = createBatchQueue<Waiting>(options);
  const running = new Set<Promise<void>>();
  let slots: WorkerSlot[] = [];
  let stopping: Promise<void> | undefined;
  let wakeUp: NodeJS.Timeout | undefined;
  // Until its jobs have their URLs, the slot of a batch is idle by its own account.
  const taken = new Set<WorkerSlot>();
  const idleSlots = () => slots.filter((slot) => slot.idle && !taken.has(slot));

  const fail = (waiting: Waiting, fault: ClassifierFault, pictures: number): void => {
    if (pictures === 1 || !neighbourMayBeToBlame.has(fault.code)) waiting.reject(fault);
    else if (stopping) waiting.reject(stoppedFault());
    else queue.addAlone(waiting);
  };

  const putBack = (batch: readonly Waiting[]): void => {
    for (const waiting of batch) {
      if (stopping) waiting.reject(stoppedFault());
      else if (batch.length === 1) queue.addAlone(waiting);
      else queue.add(waiting);
    }
  };

  const runBatch = async (slot: WorkerSlot, due: readonly Waiting[]): Promise<void> => {
    const prepared = await Promise.all(
      due.map(async (waiting) => ({ waiting, job: await workerJob(waiting.job, images, deadlineMs) })),
    );
    const batch: Waiting[] = [];
    const jobs: WorkerJob[] = [];
    for (const { waiting, job } of prepared) {
      if (job instanceof ClassifierFault) waiting.reject(job);
      else {
        batch.push(waiting);
        jobs.push(job);
      }
    }
    if (batch.length === 0) return;
    // Its process may have ended meanwhile.
    if (!slot.idle) return putBack(batch);
    const pid = slot.stats().pid ?? 0;
    const pictures = batch.length;
    const begun = performance.now();
    onEvent?.({ kind: 'batch-started', pid, pictures });
    const answers = await slot.run(jobs, deadlineMs).catch((error: unknown) => {
      if (error instanceof ClassifierFault) return batch.map(() => error);
      throw error;
    });
    for (const [index, waiting] of batch.entries()) {
      const answer = answers[index] ?? new ClassifierFault('worker-crashed', 'the worker gave no answer');
      if (answer instanceof ClassifierFault) fail(waiting, answer, pictures);
      else if (answer.kind !== 'fault') waiting.resolve(answer);
      else fail(waiting, new ClassifierFault(answer.code, answer.message), pictures);
    }
    onEvent?.({ kind: 'batch-ended', pid, pictures, ms: performance.now() - begun });
  };

  const dispatch = (): void => {
    clearTimeout(wakeUp);
    if (stopping) return;
    // Busy workers have their share, too: one of them may be done before a large batch that took it away.
    const up = slots.filter((slot) => slot.stats().state !== 'down').length;
    for (const [index, slot] of idleSlots().entries()) {
      const batch = queue.take(up - index, performance.now());
      if (batch.length === 0) break;
      taken.add(slot);
      const run: Promise<void> = runBatch(slot, batch).finally(() => {
        taken.delete(slot);
        running.delete(run);
        dispatch();
      });
      running.add(run);
    }
    const dueAt = queue.dueAt();
    // Without an idle worker the next batch to end dispatches.
    if (dueAt !== undefined && idleSlots().length > 0) {
      wakeUp = setTimeout(dispatch, Math.max(0, dueAt - performance.now()));
    }
  };

  // Jobs that arrive in one turn of the event loop, as a prefetched batch does, are dispatched together.
  let scheduled = false;
  const scheduleDispatch = (): void => {
    if (scheduled) return;
    scheduled = true;
    // Not setImmediate: whatever else this turn has led to, such as a transaction, would come first.
    process.nextTick(() => {
      scheduled = false;
      dispatch();
    });
  };

  const startOne = () =>
    startSlot({
      fork: () => forkWorker({ model, images: sourceOf(images), maxPixels, deadlineMs }, log),
      memoryLimitBytes,
      log,
      onIdle: dispatch,
      onRestart: (reason, pid) => onEvent?.({ kind: 'restarted', pid, reason }),
    });
  const started = await Promise.allSettled(Array.from({ length: workers }, startOne));
  slots = started.filter((one) => one.status === 'fulfilled').map((one) => one.value);
  const failure = started.find((one) => one.status === 'rejected');
  if (failure) {
    await Promise.all(slots.map((slot) => slot.stop(true)));
    throw failure.reason;
  }

  const stop = async (limitMs: number): Promise<void> => {
    clearTimeout(wakeUp);
    for (const waiting of queue.clear()) waiting.reject(stoppedFault());
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, limitMs);
    await Promise.race([Promise.all(running), late.promise]);
    clearTimeout(timer);
    await Promise.all(slots.map((slot) => slot.stop(running.size > 0)));
    await Promise.all(running);
  };

  return {
    model,
    classifier: {
      classify: (job) =>
        new Promise((resolve, reject) => {
          if (stopping) return reject(stoppedFault());
          queue.add({ job, resolve, reject });
          scheduleDispatch();
        }),
    },
    stats: () => slots.map((slot) => slot.stats()),
    stop: (limitMs = deadlineMs) => {
      stopping ??= stop(limitMs);
      return stopping;
    },
  };
};
