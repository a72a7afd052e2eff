import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { sha256OfFile } from './digest.ts';
import { decisions, Manifest } from './manifest-schema.ts';

/** A model folder that passed every check that needs no ONNX Runtime. */
export interface Model extends Manifest {
  /** sha256 of the ONNX file, in hex. */
  readonly digest: string;
  /** Absolute path of the ONNX file. */
  readonly path: string;
  /** Names of the classes of `outputs.top`, by index; empty without `top`. */
  readonly topLabels: readonly string[];
}

/** A model folder cannot be used. The message is one line: which file, which key, what is expected. */
export class ManifestError extends Error {
  readonly code: 'model-missing' | 'manifest-invalid' | 'labels-invalid' | 'digest-mismatch';
  constructor(code: ManifestError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

type Fault = { key: string; expected: string };

const compiled = Compile(Manifest);
const labelList = Compile(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }));
const rules = Object.keys(decisions);

/** The first thing wrong with the shape of `value`. */
const shapeFault = (value: unknown): Fault => {
  const rule = (value as { decision?: { rule?: unknown } } | null)?.decision?.rule;
  const branch = rules.indexOf(String(rule));
  for (const { keyword, instancePath, schemaPath, message, params } of compiled.Errors(value)) {
    const key = instancePath.slice(1).replaceAll('/', '.');
    if (schemaPath.includes('/anyOf/')) {
      // Only what the chosen rule's own schema says helps; the other rules' faults are noise.
      if (branch === -1) return { key: 'decision.rule', expected: `must be one of ${rules.join(', ')}` };
      if (!schemaPath.includes(`/anyOf/${branch}`)) continue;
    }
    if (keyword === 'additionalProperties') continue;
    if (keyword === 'boolean') return { key, expected: 'is not expected here' };
    if ('allowedValues' in params)
      return { key, expected: `must be one of ${params.allowedValues.join(', ')}` };
    if ('allowedValue' in params) return { key, expected: `must be ${params.allowedValue}` };
    return { key, expected: message };
  }
  return { key: '', expected: 'has the wrong shape' };
};

/** What the schema cannot say: how the keys fit together. */
const consistencyFault = ({
  input,
  preprocess,
  outputs,
  decision,
  canary,
  card,
  accuracy,
}: Manifest): Fault | undefined => {
  const [, a, b, c] = input.shape;
  const [channels, height, width] = input.layout === 'NCHW' ? [a, b, c] : [c, a, b];
  const { resize, crop, mean, std } = preprocess;
  if (channels !== 3) {
    const expected = `must have 3 colour channels for layout ${input.layout}, not ${channels}; other numbers are not supported`;
    return { key: 'input.shape', expected };
  }
  if (crop.width !== width || crop.height !== height) {
    const expected = `must be the ${width}x${height} of input.shape, not ${crop.width}x${crop.height}`;
    return { key: 'preprocess.crop', expected };
  }
  if (Math.max(crop.width, crop.height) > resize.shorterSide) {
    return { key: 'preprocess.crop', expected: `must fit into resize.shorterSide ${resize.shorterSide}` };
  }
  if (std.includes(0)) return { key: 'preprocess.std', expected: 'must not contain 0' };
  if (input.type === 'uint8' && (mean.some((value) => value !== 0) || std.some((value) => value !== 1))) {
    return { key: 'preprocess.mean', expected: 'must be 0, and std 1, for a uint8 input' };
  }
  const known = (label: string) => outputs.scores.labels.includes(label);
  const oneOfLabels = `must be one of outputs.scores.labels (${outputs.scores.labels.join(', ')})`;
  if (decision.rule === 'threshold') {
    const stranger = Object.keys(decision.minimum).find((label) => !known(label));
    if (stranger !== undefined) return { key: `decision.minimum.${stranger}`, expected: oneOfLabels };
    if (!known(decision.otherwise)) return { key: 'decision.otherwise', expected: oneOfLabels };
  }
  if (canary && !known(canary.label)) return { key: 'canary.label', expected: oneOfLabels };
  for (const [key, perLabel] of [
    ['accuracy.perLabel', accuracy.perLabel],
    ['card.labelMix', card?.labelMix ?? {}],
  ] as const) {
    const stranger = Object.keys(perLabel).find((label) => !known(label));
    if (stranger !== undefined) return { key: `${key}.${stranger}`, expected: oneOfLabels };
  }
  return undefined;
};

const unreadable = (file: string, cause: unknown): ManifestError =>
  new ManifestError(
    'model-missing',
    (cause as NodeJS.ErrnoException).code === 'ENOENT'
      ? `${file}: there is no such file`
      : `${file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`,
    { cause },
  );

const readJson = async (file: string, code: ManifestError['code']): Promise<unknown> => {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw unreadable(file, cause);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replaceAll(/\s+/g, ' ') : String(cause);
    throw new ManifestError(code, `${file}: is no JSON: ${why}`, { cause });
  }
};

const invalid = (folder: string, { key, expected }: Fault): ManifestError =>
  new ManifestError(
    'manifest-invalid',
    `${join(folder, 'manifest.json')}: ${key || 'the whole'} ${expected}`,
  );

/** The absolute path of a file that the manifest names under `key`. */
const inside = (folder: string, key: string, path: string): string => {
  const absolute = resolve(folder, path);
  const way = relative(folder, absolute);
  if (isAbsolute(path) || isAbsolute(way) || way === '..' || way.startsWith(`..${sep}`)) {
    throw invalid(folder, { key, expected: 'must be a path inside the folder' });
  }
  return absolute;
};

const checkCanary = async (folder: string, picture: string): Promise<void> => {
  const path = inside(folder, 'canary.picture', picture);
  const found = await stat(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (!found.isFile()) throw invalid(folder, { key: 'canary.picture', expected: 'must be a file' });
};

/**
 * Reads and checks a model folder's manifest and that the canary picture is there, but none of the model's own
 * files: it is quick, however large the model. Throws {@link ManifestError}.
 */
export const readManifest = async (folder: string): Promise<Manifest> => {
  const manifest = await readJson(join(folder, 'manifest.json'), 'manifest-invalid');
  if (!compiled.Check(manifest)) throw invalid(folder, shapeFault(manifest));
  const fault = consistencyFault(manifest);
  if (fault) throw invalid(folder, fault);
  if (manifest.canary) await checkCanary(folder, manifest.canary.picture);
  return manifest;
};

/** Reads and checks a model folder, its ONNX file's digest included. Throws {@link ManifestError}. */
export const loadModel = async (folder: string): Promise<Model> => {
  const manifest = await readManifest(folder);
  const path = inside(folder, 'file', manifest.file);
  const digest = await sha256OfFile(path).catch((cause) => {
    throw unreadable(path, cause);
  });
  if (digest !== manifest.sha256) {
    throw new ManifestError(
      'digest-mismatch',
      `${path}: its sha256 is ${digest}, but the manifest says ${manifest.sha256}`,
    );
  }
  const { top } = manifest.outputs;
  if (!top) return { ...manifest, digest, path, topLabels: [] };
  const labelsFile = inside(folder, 'outputs.top.labelsFile', top.labelsFile);
  const topLabels = await readJson(labelsFile, 'labels-invalid');
  if (!labelList.Check(topLabels)) {
    throw new ManifestError('labels-invalid', `${labelsFile}: must be a list of class names`);
  }
  return { ...manifest, digest, path, topLabels };
};
