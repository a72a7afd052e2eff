import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { alive, model, poolHarness } from './worker-pool.testing.ts';

/** Processor time that a process has used, in Linux's hundredths of a second. */
const cpuTicks = (pid: number): number => {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return Number(fields[11]) + Number(fields[12]);
};

suite('workers that end, and that are ended', { timeout: 240_000 }, () => {
  const { startPool, classify, classifyAll, job, events, imagesDir } = poolHarness();

  test('a model that hangs for one picture is killed at the deadline; neighbours succeed', async () => {
    await startPool({ workers: 2, deadlineMs: 1500 });
    const names = ['red', 'hangs', 'green', 'blue'] as const;
    assert.deepEqual(await classifyAll(...names), ['dog', 'deadline-exceeded!', 'cat', 'other']);
  });

  // Arm processors divide where others raise the signal that this model relies on.
  const skip = process.arch !== 'x64' && 'the model crashes on x86-64 only';
  test('a model that kills its process for one picture fails that picture only', { skip }, async () => {
    const pool = await startPool();
    assert.deepEqual(await classifyAll('red', 'crashes', 'green'), ['dog', 'worker-crashed!', 'cat']);
    await assert.rejects(async () => pool.classifier.classify(job('crashes')), /ended with signal SIGFPE/);
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
    const pool = await startPool();
    const [before] = pool.stats();
    const restarted = once(events, 'restarted');
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await restarted;
    assert.equal(await classify('red'), 'dog');
    const [now] = pool.stats();
    assert.notEqual(now?.pid, before?.pid);
    assert.equal(now?.restarts, 1);
  });

  test('workers leave Ctrl-C and SIGTERM to their parent', async () => {
    const pool = await startPool();
    const [worker] = pool.stats();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(worker?.pid ?? 0, signal);
    assert.equal(await classify('red'), 'dog');
    assert.deepEqual(pool.stats()[0]?.pid, worker?.pid);
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
      images: { kind: 'folder', dir: imagesDir },
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
    const pool = await startPool();
    const fresh = pool.stats()[0]?.rssBytes ?? 0;
    await pool.stop();
    const large = sharp({ create: { width: 7000, height: 7000, channels: 3, background: '#f00' } });
    // Turned by EXIF, so that it must be decoded as a whole.
    await large
      .withMetadata({ orientation: 6 })
      .tiff({ compression: 'none' })
      .toFile(join(imagesDir, '2026/11/23/large.png'));
    await startPool({ memoryLimitBytes: fresh + 60e6 });
    const restarted = once(events, 'restarted');
    assert.equal(await classify('large'), 'dog');
    const [event] = await restarted;
    assert.equal(event.reason, 'memory');
    assert.equal(await classify('green'), 'cat', 'by the next one');
  });

  test('stop ends running batches, rejects what waits and leaves no process', async () => {
    const pool = await startPool({ maxBatch: 1 });
    const started = once(events, 'batch-started');
    const first = classify('red');
    const second = classify('green');
    await started;
    await pool.stop();
    assert.deepEqual(await Promise.all([first, second, classify('blue')]), ['dog', 'stopped!', 'stopped!']);
  });

  test('stop kills what does not end in time', async () => {
    const pool = await startPool({ workers: 2 });
    const started = once(events, 'batch-started');
    const outcome = classify('hangs');
    await started;
    await pool.stop(100);
    assert.equal(await outcome, 'stopped!');
  });
});
