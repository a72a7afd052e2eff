import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, type ImageJson, json, type UploadJson, upload } from '../acceptance/target.ts';
import { plainPicture as picture, poisonModel } from '../poison.ts';
import { startGantry } from '../start-gantry.ts';

test('a picture that makes the model throw, hang or crash ends dead after its attempts; its neighbours succeed', async (t) => {
  const server = await startGantry({
    env: {
      GANTRY_MODEL: poisonModel,
      GANTRY_WORKERS: '2',
      GANTRY_MAX_ATTEMPTS: '2',
      GANTRY_JOB_DEADLINE: '1s',
    },
  });
  t.after(() => server.stop());
  const files = await Promise.all([
    ...Array.from({ length: 10 }, (_, n) => picture(`red-${n}.png`, '#ff0000')),
    picture('throws.png', '#ffffff'),
    ...Array.from({ length: 10 }, (_, n) => picture(`green-${n}.png`, '#00ff00')),
    picture('hangs.png', '#000000'),
    ...Array.from({ length: 10 }, (_, n) => picture(`blue-${n}.png`, '#0000ff')),
    picture('crashes.png', '#ff00ff'),
  ]);
  const { images } = await json<UploadJson>(await upload(server.url, files));
  const outcomes = await Promise.all(images.map(({ id }) => ended(server.url, id)));

  const labels: Record<string, string> = { red: 'dog', green: 'cat', blue: 'other' };
  const reasons: Record<string, string> = {
    'throws.png': 'inference-failed',
    'hangs.png': 'deadline-exceeded',
    'crashes.png': 'worker-crashed',
  };
  for (const image of outcomes) {
    const reason = reasons[image.filename];
    const [colour = ''] = image.filename.split('-');
    if (reason === undefined) {
      assert.equal(image.result?.label, labels[colour], JSON.stringify(image));
      assert.equal(image.attempts, 1, `${image.filename} lost an attempt by its neighbour`);
    } else {
      assert.equal(image.state, 'dead', JSON.stringify(image));
      assert.equal(image.error?.code, reason);
      assert.equal(image.attempts, 2);
    }
  }

  const letters = await json<{ images: ImageJson[] }>(await fetch(`${server.url}/dead-letters`));
  assert.deepEqual(letters.images.map(({ filename }) => filename).sort(), Object.keys(reasons).sort());

  await t.test('a replayed dead letter gets its attempts anew', async () => {
    const letter = letters.images.find(({ filename }) => filename === 'throws.png');
    const replay = await fetch(`${server.url}/dead-letters/${letter?.id}/replay`, { method: 'POST' });
    assert.equal(replay.status, 202);
    assert.equal((await json<ImageJson>(replay)).generation, 2);
    const again = await ended(server.url, letter?.id ?? '', 2);
    assert.equal(again.state, 'dead');
    assert.equal(again.attempts, 2);
  });
});
