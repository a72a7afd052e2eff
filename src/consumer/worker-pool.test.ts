import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import sharp from 'sharp';
import { ClassifierFault } from '../classifier/classifier.ts';
import type { Job } from '../pipeline/message.ts';
import { type PoolEvent, startWorkerPool, type WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const model = (name: string) => join(fixtures, 'models', name);
/** One colour each, so that the test models know them (test/fixtures/models/README.md). */
const pictures = {
  red: '#f00',
  green: '#0f0',
  blue: '#00f',
  hangs: '#000',
  throws: '#fff',
  crashes: '#f0f',
} as const;
type Picture = keyof typeof pictures | 'broken' | 'missing';

/** Whether a process exists; a zombie that its parent has not asked for yet does not. */
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Processor time that a process has used, in Linux's hundredths of a second. */
const cpuTicks = (pid: number): number => {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return Number(fields[11]) + Number(fields[12]);
};

suite('a worker pool', { timeout: 240_000 }, () => {
  let imagesDir: string;
  let pool: WorkerPool | undefined;
  const pids = new Set<number>();
  const events = new EventEmitter<Record<PoolEvent['kind'], [PoolEvent]>>();

  before(async () => {
    imagesDir = mkdtempSync(join(tmpdir(), 'gantry-pool-'));
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

  const startPool = async (options: Partial<WorkerPoolOptions> = {}): Promise<WorkerPool> => {
    pool = await startWorkerPool({
      workers: 1,
      modelDir: model('poison'),
      imagesDir,
      maxBatch: 8,
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
    bytes: 100,
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

  test('answers with result, picture and timings', async () => {
    const { classifier, model: info } = await startPool({ modelDir: model('colours') });
    const outcome = await classifier.classify(job('green'));
    assert.equal(outcome.kind, 'classified');
    if (outcome.kind !== 'classified') return;
    const { result, picture, timings, bytes } = outcome;
    assert.equal(result.label, 'cat');
    assert.deepEqual(result.model, { name: 'colours', version: '1.0.0', digest: info.digest });
    assert.deepEqual([picture.width, picture.height], [32, 24]);
    const thumbnail = await sharp(Buffer.from(picture.thumbnail, 'base64')).metadata();
    assert.deepEqual([thumbnail.format, thumbnail.width, thumbnail.height], ['webp', 32, 24]);
    assert.ok(bytes > 50);
    assert.deepEqual(Object.keys(timings).sort(), ['decodeMs', 'fetchMs', 'inferMs']);
    assert.ok(Object.values(timings).every((ms) => ms > 0));
  });

  test('what arrives together goes through the model together, shared among the idle workers', async () => {
    await startPool({ workers: 2, maxBatch: 3 });
    const sizes: number[] = [];
    events.on('batch-started', (event) => 'pictures' in event && sizes.push(event.pictures));
    const names = ['red', 'green', 'blue', 'red', 'green', 'blue', 'red', 'green'] as const;
    assert.deepEqual(await classifyAll(...names), [
      'dog',
      'cat',
      'other',
      'dog',
      'cat',
      'other',
      'dog',
      'cat',
    ]);
    assert.deepEqual(sizes.slice(0, 2), [3, 3]);
    assert.equal(
      sizes.reduce((a, b) => a + b),
      8,
    );
    sizes.length = 0;
    await classifyAll('red', 'blue');
    assert.deepEqual(sizes, [1, 1]);
  });

  test('waits for a full batch no longer than it may', async () => {
    await startPool({ maxBatch: 2, maxWaitMs: 3_600_000 });
    const started = once(events, 'batch-started');
    const first = classify('red');
    // Only the second picture can start the batch: the first would wait an hour.
    await new Promise(setImmediate);
    const [second, [event]] = await Promise.all([classify('green'), started]);
    assert.deepEqual([await first, second, event.pictures], ['dog', 'cat', 2]);
    await pool?.stop();
    await startPool({ maxBatch: 2, maxWaitMs: 50 });
    assert.equal(await classify('red'), 'dog', 'alone, after a while');
  });

  test('pictures that cannot be used are refused, missing ones are faults, neighbours succeed', async () => {
    await startPool();
    assert.deepEqual(await classifyAll('red', 'broken', 'missing', 'green'), [
      'dog',
      'undecodable',
      'blob-missing!',
      'cat',
    ]);
    assert.deepEqual(await classifyAll('broken'), ['undecodable'], 'none to run the model on');
    assert.equal(pool?.stats()[0]?.restarts, 0);
  });

  test('storage that is away is told apart from a missing picture', async () => {
    await startPool({ imagesDir: join(imagesDir, 'not-mounted') });
    assert.equal(await classify('red'), 'storage-unavailable!');
  });

  test('a model that throws for one picture fails that picture only', async () => {
    await startPool();
    assert.deepEqual(await classifyAll('red', 'throws', 'green'), ['dog', 'inference-failed!', 'cat']);
    assert.equal(pool?.stats()[0]?.restarts, 0, 'without a new process');
  });

  test('a model that hangs for one picture is killed at the deadline; neighbours succeed', async () => {
    await startPool({ workers: 2, deadlineMs: 1500 });
    const names = ['red', 'hangs', 'green', 'blue'] as const;
    assert.deepEqual(await classifyAll(...names), ['dog', 'deadline-exceeded!', 'cat', 'other']);
  });

  // Arm processors divide where others raise the signal that this model relies on.
  const skip = process.arch !== 'x64' && 'the model crashes on x86-64 only';
  test('a model that kills its process for one picture fails that picture only', { skip }, async () => {
    await startPool();
    assert.deepEqual(await classifyAll('red', 'crashes', 'green'), ['dog', 'worker-crashed!', 'cat']);
    await assert.rejects(async () => pool?.classifier.classify(job('crashes')), /ended with signal SIGFPE/);
  });

  test('kill -9 of a worker in the middle of a batch loses no picture and blames the right one', async () => {
    await startPool();
    // First all three together, then each alone, in order: the third batch is the hanging picture by itself.
    let batches = 0;
    events.on('batch-started', ({ pid }) => {
      batches++;
      if (batches === 1 || batches === 3) process.kill(pid, 'SIGKILL');
    });
    const restarted = once(events, 'restarted');
    assert.deepEqual(await classifyAll('red', 'hangs', 'green'), ['dog', 'worker-crashed!', 'cat']);
    const [event] = await restarted;
    assert.equal(event.reason, 'crash');
    assert.equal(batches, 4);
    assert.equal(await classify('blue'), 'other', 'and goes on');
  });

  test('an idle worker that is killed is started again', async () => {
    await startPool();
    const [before] = pool?.stats() ?? [];
    const restarted = once(events, 'restarted');
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await restarted;
    assert.equal(await classify('red'), 'dog');
    const [now] = pool?.stats() ?? [];
    assert.notEqual(now?.pid, before?.pid);
    assert.equal(now?.restarts, 1);
  });

  test('workers leave Ctrl-C and SIGTERM to their parent', async () => {
    await startPool();
    const [worker] = pool?.stats() ?? [];
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(worker?.pid ?? 0, signal);
    assert.equal(await classify('red'), 'dog');
    assert.deepEqual(pool?.stats()[0]?.pid, worker?.pid);
  });

  const linux = process.platform !== 'linux' && 'needs /proc';
  test('no worker outlives a parent that is killed, not even one inside a model that hangs', {
    skip: linux,
  }, async () => {
    const script = `
      import { pino } from 'pino';
      import { startWorkerPool } from './worker-pool.ts';
      const { options, job } = JSON.parse(process.argv[1]);
      const onEvent = ({ kind, pid }) => kind === 'batch-started' && console.log(pid + ' ' + pool.stats().map((one) => one.pid).join(' '));
      const pool = await startWorkerPool({ ...options, log: pino({ level: 'silent' }), onEvent });
      await pool.classifier.classify(job);`;
    const options = {
      workers: 2,
      modelDir: model('poison'),
      imagesDir,
      maxBatch: 1,
      maxWaitMs: 0,
      deadlineMs: 60_000,
      memoryLimitBytes: 2e9,
      maxPixels: 50e6,
    };
    const parent = spawn(
      process.execPath,
      ['--input-type=module', '-e', script, JSON.stringify({ options, job: job('hangs') })],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = await once(parent.stdout, 'data');
    const workers = String(line).trim().split(' ').map(Number);
    assert.ok(workers.length === 3 && workers.every(alive));
    // Inside the model it answers nothing, so only its use of the processor tells that it is there.
    const [hanging = 0] = workers;
    for (const begun = cpuTicks(hanging); cpuTicks(hanging) < begun + 100; ) await setTimeout(100);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    // They are nobody's children now, so there is no event to await; the runner's time limit ends this.
    while (workers.some(alive)) await setTimeout(50);
  });

  test('a worker that has grown beyond its memory limit is replaced after its batch', async () => {
    await startPool();
    const fresh = pool?.stats()[0]?.rssBytes ?? 0;
    await pool?.stop();
    const large = sharp({ create: { width: 7000, height: 7000, channels: 3, background: '#f00' } });
    // Turned by EXIF, so that it must be decoded as a whole.
    await large
      .withMetadata({ orientation: 6 })
      .tiff({ compression: 'none' })
      .toFile(join(imagesDir, '2026/11/23/large.png'));
    await startPool({ memoryLimitBytes: fresh + 60e6 });
    const restarted = once(events, 'restarted');
    assert.equal(await classify('large' as Picture), 'dog');
    const [event] = await restarted;
    assert.equal(event.reason, 'memory');
    assert.equal(await classify('green'), 'cat', 'by the next one');
  });

  test('stop ends running batches, rejects what waits and leaves no process', async () => {
    await startPool({ maxBatch: 1 });
    const started = once(events, 'batch-started');
    const first = classify('red');
    const second = classify('green');
    await started;
    await pool?.stop();
    assert.deepEqual(await Promise.all([first, second, classify('blue')]), ['dog', 'stopped!', 'stopped!']);
  });

  test('stop kills what does not end in time', async () => {
    await startPool({ workers: 2 });
    const started = once(events, 'batch-started');
    const outcome = classify('hangs');
    await started;
    await pool?.stop(100);
    assert.equal(await outcome, 'stopped!');
  });

  test('a broken model is one clear line, and no process is left', async () => {
    const folder = join(imagesDir, 'model');
    const refused = (message: RegExp, options = {}) =>
      assert.rejects(startPool({ workers: 2, modelDir: folder, ...options }), (error) => {
        assert.ok(error instanceof Error && 'code' in error);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    await refused(/manifest\.json: there is no such file/);
    cpSync(model('colours'), folder, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    writeFileSync(join(folder, 'model.onnx'), 'no model');
    await refused(/model\.onnx: its sha256 is/);
    const sha256 = createHash('sha256').update('no model').digest('hex');
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, sha256 }));
    await refused(/model\.onnx: is no ONNX model that can be run/);
    await refused(/memory limit of a worker is too small/, {
      modelDir: model('colours'),
      memoryLimitBytes: 1e6,
    });
  });
});
