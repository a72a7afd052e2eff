// One process of the bare loop: read, decode, infer, in batches; no queue, no store, no HTTP.
import { readFile } from 'node:fs/promises';
import { loadModel } from '../src/classifier/manifest.ts';
import { openSession } from '../src/classifier/onnx.ts';
import { preprocess } from '../src/classifier/preprocess.ts';

const [modelDir = '', batchSize = '4'] = process.argv.slice(2);
const model = await loadModel(modelDir);
const session = await openSession(model);

process.on('message', async (files: string[]) => {
  const size = Number(batchSize);
  for (let at = 0; at < files.length; at += size) {
    const prepared = await Promise.all(
      files
        .slice(at, at + size)
        .map(async (file) => preprocess(model, await readFile(file), { maxPixels: 50_000_000 })),
    );
    await session.classify(
      prepared.flatMap((picture) => (picture.kind === 'prepared' ? [picture.tensor] : [])),
    );
  }
  process.send?.('done');
});
process.send?.('ready');
