import type { Manifest } from './manifest-schema.ts';
import type { Pixels } from './resample.ts';

export type TensorData = Float32Array | Uint8Array;

/** Values of one picture in the model's input. */
export const tensorLength = ({ input }: Pick<Manifest, 'input'>): number =>
  input.shape[1] * input.shape[2] * input.shape[3];

/** An input tensor for `pictures` pictures, of the type that the model takes. */
export const emptyTensor = (model: Pick<Manifest, 'input'>, pictures: number): TensorData => {
  const length = tensorLength(model) * pictures;
  return model.input.type === 'float32' ? new Float32Array(length) : new Uint8Array(length);
};

type Wanted = Pick<Manifest, 'input' | 'preprocess'>;

/** Whether the model's input is a decoder's pixels as they are. */
const takesPixels = ({ input, preprocess: { mean, std } }: Wanted): boolean =>
  input.type === 'uint8' &&
  input.layout === 'NHWC' &&
  input.channels === 'RGB' &&
  mean.every((value) => value === 0) &&
  std.every((value) => value === 1);

/** Writes 8-bit RGB pixels, of the size that the model takes, as it wants them. */
export const toTensor = (model: Wanted, { data, width, height }: Pixels): TensorData => {
  if (takesPixels(model)) return data;
  const { input, preprocess } = model;
  const tensor = emptyTensor(model, 1);
  const planar = input.layout === 'NCHW';
  const step = planar ? 1 : 3;
  for (let channel = 0; channel < 3; channel++) {
    const colour = input.channels === 'RGB' ? channel : 2 - channel;
    const mean = preprocess.mean[channel] ?? 0;
    const scale = 1 / (preprocess.std[channel] ?? 1);
    let to = planar ? channel * width * height : channel;
    for (let from = colour; from < data.length; from += 3, to += step) {
      tensor[to] = ((data[from] ?? 0) - mean) * scale;
    }
  }
  return tensor;
};
