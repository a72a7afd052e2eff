// One process of a bare loop: read, decode, infer; no queue, no store, no HTTP.
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { centreCrop, planDecode } from '../src/classifier/geometry.ts';
import { loadModel } from '../src/classifier/manifest.ts';
import { openSession } from '../src/classifier/onnx.ts';
import { preprocess } from '../src/classifier/preprocess.ts';
import { toTensor } from '../src/classifier/tensor.ts';
import { loadConfig } from '../src/config.ts';

/** `bare`: what a worker does, in batches. `plain`: no more than the model needs, one by one. */
export type Loop = 'bare' | 'plain';

const [modelDir = '', loop] = process.argv.slice(2);
const { maxBatch } = loadConfig({});
const model = await loadModel(modelDir);
const session = await openSession(model);
const { resize, crop } = model.preprocess;

const bare = async (files: readonly string[]): Promise<void> => {
  const prepared = await Promise.all(
    files.map(async (file) => preprocess(model, await readFile(file), { maxPixels: 50_000_000 })),
  );
  await session.classify(
    prepared.flatMap((picture) => (picture.kind === 'prepared' ? [picture.tensor] : [])),
  );
};

const plain = async (files: readonly string[]): Promise<void> => {
  for (const file of files) {
    const picture = sharp(file);
    const { resized } = planDecode(await picture.metadata(), resize.shorterSide);
    const { data } = await picture
      .resize({ ...resized, fit: 'fill', kernel: resize.kernel })
      .extract(centreCrop(resized, crop))
      .raw()
      .toBuffer({ resolveWithObject: true });
    await session.classify([toTensor(model, { ...crop, data })]);
  }
};

const run = loop === 'plain' ? plain : bare;
process.on('message', async (files: string[]) => {
  for (let at = 0; at < files.length; at += maxBatch) await run(files.slice(at, at + maxBatch));
  process.send?.('done');
});
process.send?.('ready');
