import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { loadModel, type Model } from '../classifier/manifest.ts';
import { type Classification, openSession } from '../classifier/onnx.ts';
import { preprocess } from '../classifier/preprocess.ts';
import { settings } from '../settings.ts';

/** The model is fine, but the picture to try it on is not. One line; exit code 1. */
class PictureError extends Error {
  readonly code = 'picture-unusable';
}

interface Trial {
  readonly picture: { readonly source: string; readonly width: number; readonly height: number };
  readonly result: Classification;
  readonly timings: { readonly loadMs: number; readonly decodeMs: number; readonly inferMs: number };
}

const grey = '#808080';
const syntheticPicture = (): Promise<Buffer> =>
  sharp({ create: { width: 640, height: 480, channels: 3, background: grey } })
    .png()
    .toBuffer();

const readPicture = (file: string): Promise<Buffer> =>
  readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : `cannot be read (${cause.code})`;
    throw new PictureError(`${file}: ${why}`, { cause });
  });

/** Runs one picture twice, as the first run of a session is slower than any other, and tells of the second. */
const tryOut = async (model: Model, file: string | undefined): Promise<Trial> => {
  const source = file ?? 'a plain grey picture, as no --image was given';
  const bytes = file === undefined ? await syntheticPicture() : await readPicture(file);
  const begun = performance.now();
  const session = await openSession(model);
  const loaded = performance.now();
  const maxPixels = settings.maxPixels.kind.parse(settings.maxPixels.default ?? '');
  const prepared = await preprocess(model, bytes, { maxPixels });
  if (prepared.kind === 'refused') throw new PictureError(`${source}: ${prepared.error.message}`);
  const decoded = performance.now();
  await session.classify([prepared.tensor]);
  const warm = performance.now();
  const [result] = await session.classify([prepared.tensor]);
  if (!result) throw new PictureError(`${source}: the model gave no answer`);
  return {
    picture: { source, width: prepared.width, height: prepared.height },
    result,
    timings: {
      loadMs: loaded - begun,
      decodeMs: decoded - loaded,
      inferMs: performance.now() - warm,
    },
  };
};

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const percents = (shares: Readonly<Record<string, number>>): string =>
  Object.entries(shares)
    .map(([label, share]) => `${label} ${percent(share)}`)
    .join(', ');

const describe = (model: Model): string => {
  const { input, preprocess: steps, outputs, decision, accuracy } = model;
  const { scores, top } = outputs;
  const rule =
    decision.rule === 'argmax'
      ? 'argmax: the label with the highest score'
      : `threshold: the label with the highest score if that is at least ${percents(decision.minimum)}; else ${decision.otherwise}`;
  const rows: [string, string][] = [
    ['description', model.description],
    ['file', model.path],
    ['sha256', model.digest],
    ['licence', model.licence],
    ['input', `${input.name}: ${input.type} ${input.shape.join(' x ')} (${input.layout}, ${input.channels})`],
    [
      'preprocess',
      `shorter side to ${steps.resize.shorterSide} (${steps.resize.kernel}), centre crop ${steps.crop.width}x${steps.crop.height}, ` +
        `mean ${steps.mean.join(' ')}, std ${steps.std.join(' ')}`,
    ],
    ['labels', `${scores.labels.join(', ')} (output ${scores.name}, activation ${scores.activation})`],
    ['top', top ? `the best ${top.count} of ${model.topLabels.length} classes (output ${top.name})` : 'none'],
    ['decision', rule],
    [
      'accuracy',
      accuracy.images === 0
        ? 'not measured'
        : `${percent(accuracy.overall)} of ${accuracy.images} images (${percents(accuracy.perLabel)}); ${accuracy.data}`,
    ],
  ];
  return [
    `${model.name} ${model.version}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(12)} ${value}`),
  ].join('\n');
};

const tell = ({ picture, result, timings }: Trial): string =>
  [
    `Tried on ${picture.source} (${picture.width}x${picture.height})`,
    `  ${'result'.padEnd(12)} ${result.label}, ${percent(result.confidence)} (${percents(result.scores)})`,
    `  ${'top'.padEnd(12)} ${result.top.map(({ label, score }) => `${label} ${percent(score)}`).join(', ') || 'none'}`,
    `  ${'timings'.padEnd(12)} load ${timings.loadMs.toFixed(0)} ms, decode ${timings.decodeMs.toFixed(1)} ms, model ${timings.inferMs.toFixed(1)} ms`,
  ].join('\n');

/** `gantry model check DIR`: whether a model folder can be used, what it is, and what it says of a picture. */
export const check = async (folder: string, options: { image?: string; json?: true }): Promise<void> => {
  const model = await loadModel(folder);
  const trial = await tryOut(model, options.image);
  const { topLabels, ...manifest } = model;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ model: { ...manifest, classes: topLabels.length }, ...trial }, null, 2)}\n`
      : `${describe(model)}\n\n${tell(trial)}\n`,
  );
};
