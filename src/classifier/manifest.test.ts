import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { loadModel, ManifestError, readManifest } from './manifest.ts';

const colours = join(import.meta.dirname, '../../test/fixtures/models/colours');

type Json = { [key: string]: Json } & { [key: string]: unknown };

suite('a model folder', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gantry-manifest-'));
    cpSync(colours, folder, { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Loads the folder with its manifest changed. */
  const changed = (change: (manifest: Json) => void) => {
    const manifest = JSON.parse(readFileSync(join(colours, 'manifest.json'), 'utf8'));
    change(manifest);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
    return loadModel(folder);
  };
  const refused = async (loading: Promise<unknown>, code: ManifestError['code'], message: RegExp) => {
    await assert.rejects(loading, (error) => {
      assert.ok(error instanceof ManifestError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/, 'one line');
      return true;
    });
  };

  test('loads with digest, absolute path and class names', async () => {
    const model = await loadModel(colours);
    assert.equal(model.name, 'colours');
    assert.equal(model.digest, model.sha256);
    assert.equal(model.path, join(colours, 'model.onnx'));
    assert.deepEqual(model.topLabels, ['red', 'green', 'blue']);
  });

  test('may do without `top`, take one picture at a time and decide by threshold', async () => {
    const model = await changed((m) => {
      delete m.outputs?.top;
      Object.assign(m.input as Json, { shape: [1, 3, 8, 8] });
      m.decision = { rule: 'threshold', minimum: { dog: 0.5 }, otherwise: 'other' } as unknown as Json;
    });
    assert.deepEqual(model.topLabels, []);
    assert.equal(model.input.shape[0], 1);
  });

  test('has its manifest read without its ONNX file, the canary picture checked', async () => {
    const canary = { picture: 'cat.jpg', label: 'cat' };
    writeFileSync(join(folder, 'cat.jpg'), 'a picture');
    const model = await changed((m) => Object.assign(m, { canary }));
    assert.deepEqual(model.canary, canary);
    writeFileSync(join(folder, 'model.onnx'), 'another model');
    assert.deepEqual((await readManifest(folder)).canary, canary);
    rmSync(join(folder, 'cat.jpg'));
    await refused(readManifest(folder), 'model-missing', /cat\.jpg: there is no such file$/);
    cpSync(join(colours, 'model.onnx'), join(folder, 'model.onnx'));
  });

  const faults: [string, (manifest: Json) => void, RegExp][] = [
    [
      'a missing key',
      (m) => delete m.licence,
      /manifest\.json: the whole must have required properties licence$/,
    ],
    ['a missing inner key', (m) => delete m.input?.layout, /: input must have required properties layout$/],
    ['an unknown key', (m) => (m.licens = {} as Json), /: licens is not expected here$/],
    [
      'an unknown inner key',
      (m) => Object.assign(m.preprocess as Json, { scale: 1 }),
      /: preprocess\.scale is not/,
    ],
    ['a name that is no name', (m) => Object.assign(m, { name: '../pets' }), /: name must match pattern/],
    ['no digest', (m) => Object.assign(m, { sha256: 'abc' }), /: sha256 must match pattern/],
    [
      'an unknown type',
      (m) => Object.assign(m.input as Json, { type: 'float16' }),
      /: input\.type must be one of float32, uint8$/,
    ],
    [
      'an unknown kernel',
      (m) => Object.assign(m.preprocess?.resize as Json, { kernel: 'cubik' }),
      /: preprocess\.resize\.kernel must be one of cubic, linear, nearest, lanczos3$/,
    ],
    [
      'another gravity',
      (m) => Object.assign(m.preprocess?.crop as Json, { gravity: 'north' }),
      /: preprocess\.crop\.gravity must be centre$/,
    ],
    [
      'a shape of three numbers',
      (m) => Object.assign(m.input as Json, { shape: ['batch', 3, 8] }),
      /: input\.shape/,
    ],
    [
      'one channel',
      (m) => Object.assign(m.input as Json, { shape: ['batch', 1, 8, 8] }),
      /: input\.shape must have 3 colour channels for layout NCHW, not 1/,
    ],
    [
      'the wrong layout',
      (m) => Object.assign(m.input as Json, { layout: 'NHWC' }),
      /: input\.shape must have 3 colour channels for layout NHWC, not 8/,
    ],
    [
      'a crop that is not the shape',
      (m) => Object.assign(m.preprocess?.crop as Json, { width: 7 }),
      /: preprocess\.crop must be the 8x8 of input\.shape, not 7x8$/,
    ],
    [
      'a crop larger than the picture',
      (m) => Object.assign(m.preprocess?.resize as Json, { shorterSide: 6 }),
      /: preprocess\.crop must fit into resize\.shorterSide 6$/,
    ],
    [
      'two means',
      (m) => Object.assign(m.preprocess as Json, { mean: [0, 0] }),
      /: preprocess\.mean must not have fewer than 3 items$/,
    ],
    [
      'a std of 0',
      (m) => Object.assign(m.preprocess as Json, { std: [255, 0, 255] }),
      /: preprocess\.std must not contain 0$/,
    ],
    [
      'uint8 with a std',
      (m) => Object.assign(m.input as Json, { type: 'uint8' }),
      /: preprocess\.mean must be 0, and std 1, for a uint8 input$/,
    ],
    [
      'one label',
      (m) => Object.assign(m.outputs?.scores as Json, { labels: ['dog'] }),
      /: outputs\.scores\.labels must not have fewer than 2/,
    ],
    [
      'a label twice',
      (m) => Object.assign(m.outputs?.scores as Json, { labels: ['dog', 'dog'] }),
      /: outputs\.scores\.labels /,
    ],
    [
      'an unknown rule',
      (m) => Object.assign(m.decision as Json, { rule: 'vote' }),
      /: decision\.rule must be one of argmax, threshold$/,
    ],
    [
      'a rule without its keys',
      (m) => Object.assign(m, { decision: { rule: 'threshold', minimum: {} } }),
      /: decision must have required properties otherwise$/,
    ],
    [
      'a key of another rule',
      (m) => Object.assign(m.decision as Json, { otherwise: 'cat' }),
      /: decision\.otherwise is not expected here$/,
    ],
    [
      'a minimum for no label',
      (m) => Object.assign(m, { decision: { rule: 'threshold', minimum: { cow: 0.5 }, otherwise: 'cat' } }),
      /: decision\.minimum\.cow must be one of outputs\.scores\.labels \(dog, cat, other\)$/,
    ],
    [
      'otherwise no label',
      (m) => Object.assign(m, { decision: { rule: 'threshold', minimum: {}, otherwise: 'cow' } }),
      /: decision\.otherwise must be one of/,
    ],
    [
      'a canary of no label',
      (m) => Object.assign(m, { canary: { picture: 'manifest.json', label: 'cow' } }),
      /: canary\.label must be one of outputs\.scores\.labels \(dog, cat, other\)$/,
    ],
    [
      'a canary without a picture',
      (m) => Object.assign(m, { canary: { label: 'cat' } }),
      /: canary must have required properties picture$/,
    ],
    [
      'a canary outside',
      (m) => Object.assign(m, { canary: { picture: '../cat.jpg', label: 'cat' } }),
      /: canary\.picture must be a path inside/,
    ],
    [
      'a canary that is a folder',
      (m) => Object.assign(m, { canary: { picture: '.', label: 'cat' } }),
      /: canary\.picture must be a file$/,
    ],
    [
      'an accuracy above 1',
      (m) => Object.assign(m.accuracy as Json, { overall: 99 }),
      /: accuracy\.overall must be <= 1$/,
    ],
    [
      'a label mix of no label',
      (m) =>
        Object.assign(m, { card: { intendedUse: 'x', limits: [], trainingData: [], labelMix: { cow: 1 } } }),
      /: card\.labelMix\.cow must be one of outputs\.scores\.labels \(dog, cat, other\)$/,
    ],
    [
      'a card that says not what for',
      (m) => Object.assign(m, { card: { limits: [], trainingData: [] } }),
      /: card must have required properties intendedUse$/,
    ],
    ['a file outside', (m) => Object.assign(m, { file: '../model.onnx' }), /: file must be a path inside/],
    ['an absolute file', (m) => Object.assign(m, { file: '/etc/passwd' }), /: file must be a path inside/],
    [
      'labels outside',
      (m) => Object.assign(m.outputs?.top as Json, { labelsFile: 'a/../../b.json' }),
      /: outputs\.top\.labelsFile must be a path inside/,
    ],
  ];
  for (const [name, change, message] of faults) {
    test(`is refused for ${name}`, () => refused(changed(change), 'manifest-invalid', message));
  }

  test('is refused when it is not there, when files are missing and when they are not what they should be', async () => {
    await refused(
      loadModel('/nowhere'),
      'model-missing',
      /^\/nowhere\/manifest\.json: there is no such file/,
    );
    await refused(
      changed((m) => Object.assign(m, { file: 'm.onnx' })),
      'model-missing',
      /m\.onnx: there is no such/,
    );
    await refused(
      changed((m) => Object.assign(m, { canary: { picture: 'cat.jpg', label: 'cat' } })),
      'model-missing',
      /cat\.jpg: there is no such file$/,
    );
    await refused(
      changed((m) => Object.assign(m, { sha256: '0'.repeat(64) })),
      'digest-mismatch',
      /model\.onnx: its sha256 is [0-9a-f]{64}, but the manifest says 0{64}$/,
    );
    await refused(
      changed((m) => Object.assign(m.outputs?.top as Json, { labelsFile: 'manifest.json' })),
      'labels-invalid',
      /manifest\.json: must be a list of class names$/,
    );
    for (const text of ['{', '', 'null', '[]']) {
      writeFileSync(join(folder, 'manifest.json'), text);
      await refused(loadModel(folder), 'manifest-invalid', /manifest\.json: (is no JSON|the whole must be)/);
    }
  });
});
