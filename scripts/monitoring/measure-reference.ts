/**
 * Measures what the drift panels and the drift alert compare with: how sure the product's own model is of pictures
 * that it was not trained on, and which labels they get.
 *
 *     node scripts/monitoring/measure-reference.ts PICTURES HELD_OUT > monitoring/reference/pets.json
 *
 * PICTURES is the folder with dog/, cat/ and other/, HELD_OUT the list that models/pets/training/build.py writes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bandOf, bands, type Reference } from '../../monitoring/reference/bands.ts';
import { loadModel } from '../../src/classifier/manifest.ts';
import { openSession } from '../../src/classifier/onnx.ts';
import { preprocess } from '../../src/classifier/preprocess.ts';
import { settings } from '../../src/settings.ts';

const [pictures, heldOut] = process.argv.slice(2);
if (pictures === undefined || heldOut === undefined) {
  process.stderr.write('usage: node scripts/monitoring/measure-reference.ts PICTURES HELD_OUT\n');
  process.exit(2);
}

const model = await loadModel(join(import.meta.dirname, '../../models/pets'));
const session = await openSession(model);
const maxPixels = settings.maxPixels.kind.parse(settings.maxPixels.default ?? '');
const labels = new Map(model.outputs.scores.labels.map((label) => [label, 0]));
const confidence = new Map(bands.map(({ name }) => [name, 0]));
const names = (await readFile(heldOut, 'utf8')).trim().split('\n');
for (const name of names) {
  const prepared = await preprocess(model, await readFile(join(pictures, name)), { maxPixels });
  if (prepared.kind === 'refused') throw new Error(`${name}: ${prepared.error.message}`);
  // One at a time, as the model card's figures.
  const [result] = await session.classify([prepared.tensor]);
  if (result === undefined) throw new Error(`${name}: the model gave no answer`);
  const band = bandOf(result.confidence);
  labels.set(result.label, (labels.get(result.label) ?? 0) + 1);
  confidence.set(band, (confidence.get(band) ?? 0) + 1);
}
const reference: Reference = {
  model: { name: model.name, version: model.version, digest: model.digest },
  images: names.length,
  labels: Object.fromEntries(labels),
  confidence: Object.fromEntries(confidence),
};
process.stdout.write(`${JSON.stringify(reference, null, 2)}\n`);
