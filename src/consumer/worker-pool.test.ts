import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import sharp from 'sharp';
import { model, poolHarness } from './worker-pool.testing.ts';

suite('a worker pool', { timeout: 240_000 }, () => {
  const { startPool, classify, classifyAll, job, events, imagesDir } = poolHarness();

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
    assert.deepEqual([thumbnail.format, thumbnail.width, thumbnail.height], ['jpeg', 32, 24]);
    assert.ok(bytes > 50);
    assert.deepEqual(Object.keys(timings).sort(), ['decodeMs', 'fetchMs', 'inferMs']);
    assert.ok(Object.values(timings).every((ms) => ms > 0));
  });

  test('workers leave the processor to whoever takes in uploads', async () => {
    const { stats } = await startPool();
    const lower = Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL);
    assert.equal(getPriority(stats()[0]?.pid ?? 0), lower);
  });

  test('what arrives together goes through the model together, shared among the workers', async () => {
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

  test('an idle worker leaves a busy one its share', async () => {
    await startPool({ workers: 2 });
    const sizes: number[] = [];
    events.on('batch-started', (event) => 'pictures' in event && sizes.push(event.pictures));
    const begun = once(events, 'batch-started');
    void classify('hangs');
    await begun;
    assert.deepEqual(await classifyAll('red', 'green', 'blue', 'red'), ['dog', 'cat', 'other', 'dog']);
    assert.deepEqual(sizes, [1, 2, 1, 1]);
  });

  test('waits for a full batch no longer than it may', async () => {
    const pool = await startPool({ maxBatch: 2, maxWaitMs: 3_600_000 });
    const started = once(events, 'batch-started');
    const first = classify('red');
    // Only the second picture can start the batch: the first would wait an hour.
    await new Promise(setImmediate);
    const [second, [event]] = await Promise.all([classify('green'), started]);
    assert.deepEqual([await first, second, event.pictures], ['dog', 'cat', 2]);
    await pool.stop();
    await startPool({ maxBatch: 2, maxWaitMs: 50 });
    assert.equal(await classify('red'), 'dog', 'alone, after a while');
  });

  test('pictures that cannot be used are refused, missing ones are faults, neighbours succeed', async () => {
    const pool = await startPool();
    assert.deepEqual(await classifyAll('red', 'broken', 'missing', 'green'), [
      'dog',
      'undecodable',
      'blob-missing!',
      'cat',
    ]);
    assert.deepEqual(await classifyAll('broken'), ['undecodable'], 'none to run the model on');
    assert.equal(pool.stats()[0]?.restarts, 0);
  });

  test('storage that is away is told apart from a missing picture', async () => {
    await startPool({ images: { kind: 'folder', dir: join(imagesDir, 'not-mounted') } });
    assert.equal(await classify('red'), 'storage-unavailable!');
  });

  test('a model that throws for one picture fails that picture only', async () => {
    const pool = await startPool();
    assert.deepEqual(await classifyAll('red', 'throws', 'green'), ['dog', 'inference-failed!', 'cat']);
    assert.equal(pool.stats()[0]?.restarts, 0, 'without a new process');
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
