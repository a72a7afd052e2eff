import './no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Result } from '../pipeline/image.ts';
import { best, decide, softmax } from './decision.ts';
import type { Model } from './manifest.ts';
import { emptyTensor, type TensorData, tensorLength } from './tensor.ts';

export type Classification = Pick<Result, 'label' | 'confidence' | 'scores' | 'top'>;

export interface Session {
  /** Runs pictures through the model together. Throws {@link InferenceError}. */
  classify(pictures: readonly TensorData[]): Promise<Classification[]>;
}

/** The ONNX file cannot be loaded or is not what its manifest says. One line. */
export class ModelError extends Error {
  readonly code = 'model-unusable';
}

/** The model threw, or gave what cannot be a score. One line. */
export class InferenceError extends Error {
  readonly code = 'inference-failed';
}

const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim().slice(0, 300);

const told = ({ name, isTensor, ...rest }: InferenceSession.ValueMetadata): string =>
  'type' in rest
    ? `${name} (${rest.type} ${rest.shape.join('x')})`
    : `${name} (${isTensor ? '' : 'no '}tensor)`;

/** Compares what the manifest says with what the file declares; dimensions with a name fit any number. */
const checkAgainstManifest = (model: Model, session: InferenceSession): void => {
  const find = (kind: string, key: string, name: string, all: readonly InferenceSession.ValueMetadata[]) => {
    const found = all.find((one) => one.name === name);
    if (!found?.isTensor) {
      const list = all.map(told).join(', ');
      throw new ModelError(`${model.path}: ${key} is "${name}", but the model's ${kind}s are ${list}`);
    }
    return found;
  };
  const { input, outputs } = model;
  const taken = find('input', 'input.name', input.name, session.inputMetadata);
  if (session.inputMetadata.length > 1) {
    const list = session.inputMetadata.map(told).join(', ');
    throw new ModelError(`${model.path}: takes several inputs (${list}); only one is supported`);
  }
  const fits = (dimension: number | string, index: number) =>
    typeof dimension === 'string' || dimension < 0 || dimension === input.shape[index];
  if (taken.type !== input.type || taken.shape.length !== 4 || !taken.shape.every(fits)) {
    const said = `${input.type} ${input.shape.join('x')}`;
    throw new ModelError(`${model.path}: input is ${said} in the manifest, but ${told(taken)} in the model`);
  }
  const checkOutput = (key: string, name: string, count: number, what: string) => {
    const output = find('output', key, name, session.outputMetadata);
    const last = output.shape.at(-1);
    if (output.type !== 'float32') {
      throw new ModelError(`${model.path}: output ${told(output)} must be float32`);
    }
    if (output.shape.length !== 2 || (typeof last === 'number' && last >= 0 && last !== count)) {
      throw new ModelError(
        `${model.path}: output ${told(output)} does not fit batch x ${count} (the ${what})`,
      );
    }
  };
  checkOutput('outputs.scores.name', outputs.scores.name, outputs.scores.labels.length, 'labels');
  if (outputs.top) checkOutput('outputs.top.name', outputs.top.name, model.topLabels.length, 'labelsFile');
};

const batchTensor = (model: Model, pictures: readonly TensorData[]): Tensor => {
  const dims = [pictures.length, ...model.input.shape.slice(1)] as number[];
  let [data = emptyTensor(model, 0)] = pictures;
  if (pictures.length > 1) {
    data = emptyTensor(model, pictures.length);
    for (const [index, picture] of pictures.entries()) data.set(picture, index * tensorLength(model));
  }
  return data instanceof Float32Array ? new Tensor('float32', data, dims) : new Tensor('uint8', data, dims);
};

/** The values of one picture, activated. */
const row = (
  output: Tensor | undefined,
  index: number,
  length: number,
  activation: 'none' | 'softmax',
): number[] => {
  const all = output?.data;
  const values =
    all instanceof Float32Array ? Array.from(all.subarray(index * length, (index + 1) * length)) : [];
  if (values.length !== length || !values.every(Number.isFinite)) {
    throw new InferenceError(`the model gave values that are no numbers, or not ${length} of them`);
  }
  return activation === 'softmax' ? softmax(values) : values;
};

/** Rounding in a softmax makes 1.0000001; anything beyond that is a model without its activation. */
const asShare = (score: number): number => {
  if (score < -1e-3 || score > 1 + 1e-3) {
    throw new InferenceError(
      `the model gave a score of ${score}, outside 0 to 1: is its activation missing?`,
    );
  }
  return Math.min(1, Math.max(0, score));
};

/** Loads a model for one thread. Throws {@link ModelError}. */
export const openSession = async (model: Model): Promise<Session> => {
  const session = await InferenceSession.create(model.path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Only fatal errors: what goes wrong is thrown, and told there.
    logSeverityLevel: 4,
  }).catch((cause) => {
    throw new ModelError(`${model.path}: is no ONNX model that can be run: ${oneLine(cause)}`, { cause });
  });
  checkAgainstManifest(model, session);
  const { scores, top } = model.outputs;

  const run = async (pictures: readonly TensorData[]): Promise<Classification[]> => {
    const outputs = await session
      .run({ [model.input.name]: batchTensor(model, pictures) }, [scores.name, ...(top ? [top.name] : [])])
      .catch((cause) => {
        throw new InferenceError(`the model threw: ${oneLine(cause)}`, { cause });
      });
    return pictures.map((_, index) => {
      const values = row(outputs[scores.name], index, scores.labels.length, scores.activation).map(asShare);
      const byLabel = Object.fromEntries(scores.labels.map((label, at) => [label, values[at] ?? 0]));
      const classes = top
        ? best(
            row(outputs[top.name], index, model.topLabels.length, top.activation),
            model.topLabels,
            top.count,
          )
        : [];
      return { ...decide(model.decision, byLabel), scores: byLabel, top: classes };
    });
  };
  return {
    async classify(pictures) {
      if (pictures.length === 0) return [];
      if (model.input.shape[0] === 'batch') return run(pictures);
      const results: Classification[] = [];
      for (const picture of pictures) results.push(...(await run([picture])));
      return results;
    },
  };
};
