import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { pino } from 'pino';
import sharp from 'sharp';
import { ClassifierFault } from '../classifier/classifier.ts';
import type { Job } from '../pipeline/message.ts';
import { type PoolEvent, startWorkerPool, type WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
export const model = (name: string) => join(fixtures, 'models', name);
/** One colour each, so that the test models know them (test/fixtures/models/README.md). */
const pictures = {
  red: '#f00',
  green: '#0f0',
  blue: '#00f',
  hangs: '#000',
  throws: '#fff',
  crashes: '#f0f',
} as const;
type Picture = keyof typeof pictures | 'broken' | 'missing' | 'large';

/** Whether a process exists; a zombie that its parent has not asked for yet does not. */
export const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** For a suite: a folder of pictures, and pools of real processes of which none may be left after a test. */
export const poolHarness = () => {
  const imagesDir = mkdtempSync(join(tmpdir(), 'gantry-pool-'));
  let pool: WorkerPool | undefined;
  const pids = new Set<number>();
  const events = new EventEmitter<Record<PoolEvent['kind'], [PoolEvent]>>();

  before(async () => {
    mkdirSync(join(imagesDir, '2026/11/23'), { recursive: true });
    for (const [name, background] of Object.entries(pictures)) {
      const image = sharp({ create: { width: 32, height: 24, channels: 3, background } });
      await image.png().toFile(join(imagesDir, `2026/11/23/${name}.png`));
    }
    writeFileSync(join(imagesDir, '2026/11/23/broken.png'), 'no picture');
  });
  after(() => rmSync(imagesDir, { recursive: true }));
  // A pool that leaves a process behind fails the test that used it.
  afterEach(async () => {
    await pool?.stop(0);
    pool = undefined;
    events.removeAllListeners();
    const left = [...pids].filter(alive);
    pids.clear();
    assert.deepEqual(left, [], 'processes are left');
  });

  /** The pool in use, one at a time. */
  const startPool = async (options: Partial<WorkerPoolOptions> = {}): Promise<WorkerPool> => {
    pool = await startWorkerPool({
      workers: 1,
      modelDir: model('poison'),
      images: { kind: 'folder', dir: imagesDir },
      // Three that wait are a backlog, and go together.
      maxBatch: 3,
      maxWaitMs: 0,
      deadlineMs: 60_000,
      memoryLimitBytes: 2e9,
      maxPixels: 50e6,
      log: pino({ level: 'silent' }),
      onEvent(event) {
        pids.add(event.pid);
        events.emit(event.kind, event);
      },
      ...options,
    });
    for (const { pid } of pool.stats()) if (pid) pids.add(pid);
    return pool;
  };
  const job = (name: Picture): Job => ({
    version: 1,
    id: '019a0000-0000-7000-8000-000000000000',
    blob: `2026/11/23/${name}.png`,
    contentType: 'image/png',
    bytes: 1_000_000,
    pipeline: 'poison',
    generation: 1,
    attempt: 1,
    submittedAt: '2026-11-23T12:00:00.000Z',
  });
  /** The label, the code of a refusal, or the code of a fault with an exclamation mark. */
  const classify = async (name: Picture): Promise<string> => {
    try {
      const outcome = await pool?.classifier.classify(job(name));
      return outcome?.kind === 'classified' ? outcome.result.label : (outcome?.error.code ?? '');
    } catch (error) {
      assert.ok(error instanceof ClassifierFault, String(error));
      return `${error.code}!`;
    }
  };
  const classifyAll = (...names: Picture[]) => Promise.all(names.map(classify));

  return { startPool, classify, classifyAll, job, events, imagesDir };
};
