import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { decide, softmax } from './decision.ts';
import { loadModel, type Model } from './manifest.ts';
import { InferenceError, ModelError, openSession } from './onnx.ts';
import { preprocess } from './preprocess.ts';

const root = join(import.meta.dirname, '../..');
const colours = await loadModel(join(root, 'test/fixtures/models/colours'));
const picture = (...rgb: number[]) => {
  const tensor = new Float32Array(192);
  for (const [channel, value] of rgb.entries()) tensor.fill(value, channel * 64, (channel + 1) * 64);
  return tensor;
};
const red = picture(1, 0, 0);
const green = picture(0, 1, 0);
const blue = picture(0, 0, 1);

suite('a session', () => {
  test('answers for every picture of a batch, in order', async () => {
    const session = await openSession(colours);
    const answers = await session.classify([green, red, blue, picture(0.5, 0.6, 0)]);
    assert.deepEqual(
      answers.map(({ label }) => label),
      ['cat', 'dog', 'other', 'cat'],
    );
    const [cat] = answers;
    assert.ok(cat);
    assert.equal(cat.confidence, cat.scores.cat);
    assert.ok(Math.abs((cat.confidence ?? 0) - 0.9999) < 1e-3);
    assert.deepEqual(Object.keys(cat.scores), ['dog', 'cat', 'other']);
    assert.equal(cat.top[0]?.label, 'green');
    assert.equal(cat.top.length, 2, 'as many as the manifest says');
    assert.deepEqual(await session.classify([green]), [cat], 'neighbours change nothing');
  });

  test('runs a model that takes one picture at a time one by one', async () => {
    const [, ...rest] = colours.input.shape;
    const session = await openSession({ ...colours, input: { ...colours.input, shape: [1, ...rest] } });
    assert.deepEqual(
      (await session.classify([blue, red])).map(({ label }) => label),
      ['other', 'dog'],
    );
  });

  test('turns what the model throws into one line', async () => {
    const session = await openSession(await loadModel(join(root, 'test/fixtures/models/poison')));
    await assert.rejects(session.classify([picture(1, 1, 1)]), (error) => {
      assert.ok(error instanceof InferenceError);
      assert.match(error.message, /^the model threw: .*Gather[^\n]*$/);
      return true;
    });
    assert.equal((await session.classify([red]))[0]?.label, 'dog', 'and goes on');
  });

  test('refuses scores that are no numbers or no shares', async () => {
    const session = await openSession(colours);
    await assert.rejects(session.classify([picture(Number.NaN, 0, 0)]), InferenceError);
    const { scores } = colours.outputs;
    const bare = await openSession({ ...colours, outputs: { scores: { ...scores, name: 'logits' } } });
    await assert.rejects(bare.classify([red]), /score of 10, outside 0 to 1: is its activation missing/);
    const activated = { ...scores, name: 'logits', activation: 'softmax' as const };
    const mended = await openSession({ ...colours, outputs: { scores: activated } });
    assert.equal((await mended.classify([red]))[0]?.label, 'dog');
  });
});

suite('a model that is not what its manifest says', () => {
  const { input, outputs } = colours;
  const cases: [string, Partial<Model>, RegExp][] = [
    [
      'another input name',
      { input: { ...input, name: 'x' } },
      /input\.name is "x", but the model's inputs are input \(float32 batchx3x8x8\)$/,
    ],
    [
      'another output name',
      { outputs: { scores: { ...outputs.scores, name: 'y' } } },
      /outputs\.scores\.name is "y", but the model's outputs are scores \(float32 batchx3\), logits/,
    ],
    [
      'another type',
      { input: { ...input, type: 'uint8' } },
      /input is uint8 batchx3x8x8 in the manifest, but input \(float32 batchx3x8x8\) in the model$/,
    ],
    ['another size', { input: { ...input, shape: ['batch', 3, 9, 9] } }, /input is float32 batchx3x9x9 in/],
    [
      'too few labels',
      { outputs: { scores: { ...outputs.scores, labels: ['a', 'b'] } } },
      /output scores \(float32 batchx3\) does not fit batch x 2 \(the labels\)$/,
    ],
    [
      'too many class names',
      { topLabels: ['a', 'b', 'c', 'd'] },
      /does not fit batch x 4 \(the labelsFile\)$/,
    ],
  ];
  for (const [name, change, message] of cases) {
    test(`is refused for ${name}`, async () => {
      await assert.rejects(openSession({ ...colours, ...change }), (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test('is refused if it is no model at all', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gantry-onnx-'));
    try {
      for (const bytes of [Buffer.from('no model'), readFileSync(colours.path).subarray(0, 200)]) {
        writeFileSync(join(folder, 'model.onnx'), bytes);
        const loading = openSession({ ...colours, path: join(folder, 'model.onnx') });
        await assert.rejects(loading, /model\.onnx: is no ONNX model that can be run: [^\n]+$/);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

suite('the decision', () => {
  test('argmax takes the highest score', () => {
    assert.deepEqual(decide({ rule: 'argmax' }, { dog: 0.2, cat: 0.5, other: 0.3 }), {
      label: 'cat',
      confidence: 0.5,
    });
  });
  test('threshold falls back when the highest score is below its minimum', () => {
    const rule = { rule: 'threshold', minimum: { dog: 0.5 }, otherwise: 'other' } as const;
    const of = (dog: number, cat: number) => decide(rule, { dog, cat, other: 0.1 });
    assert.deepEqual(of(0.5, 0.4), { label: 'dog', confidence: 0.5 });
    assert.deepEqual(of(0.49, 0.41), { label: 'other', confidence: 0.1 });
    assert.deepEqual(of(0.2, 0.3), { label: 'cat', confidence: 0.3 }, 'a label without a minimum');
  });
  test('softmax survives large values', () => {
    assert.deepEqual(softmax([1000, 1000]), [0.5, 0.5]);
  });
});

suite('the model pets', { skip: !existsSync(join(root, 'models/pets/model.onnx')) }, () => {
  const expected = {
    'cats/chelsea.png': 'cat',
    'cats/ginger_kitten.jpg': 'cat',
    'cats/kitten_yarn.webp': 'cat',
    'cats/tabby_lying.jpg': 'cat',
    'dogs/german_shepherd.webp': 'dog',
    'dogs/golden_retriever.jpg': 'dog',
    'others/horse_crop.jpg': 'other',
    'others/horses_herd.webp': 'other',
    'others/red_panda.jpg': 'other',
    'odd/cat.avif': 'cat',
    'odd/cat_gray16.png': 'cat',
    'odd/cat_then_dog_animated.webp': 'cat',
    'odd/dog_cmyk.jpg': 'dog',
    'odd/dog_exif_orientation6.jpg': 'dog',
    'odd/dog_then_cat_animated.gif': 'dog',
    'odd/dog_then_cat_multipage.tiff': 'dog',
  };
  test('tells dogs, cats and others apart in every format', async () => {
    const model = await loadModel(join(root, 'models/pets'));
    const session = await openSession(model);
    const said: Record<string, string> = {};
    for (const name of Object.keys(expected)) {
      const bytes = readFileSync(join(root, 'test/fixtures', name));
      const outcome = await preprocess(model, bytes, { maxPixels: 50e6 });
      assert.equal(outcome.kind, 'prepared');
      if (outcome.kind === 'prepared') {
        said[name] = (await session.classify([outcome.tensor]))[0]?.label ?? '';
      }
    }
    assert.deepEqual(said, expected);
  });
});
