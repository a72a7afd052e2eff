import type { Area } from './geometry.ts';
import type { Manifest } from './manifest-schema.ts';

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

const copyRows = (tensor: TensorData, pixels: Uint8Array, rowWidth: number, crop: Area): void => {
  for (let y = 0; y < crop.height; y++) {
    const from = ((crop.top + y) * rowWidth + crop.left) * 3;
    tensor.set(pixels.subarray(from, from + crop.width * 3), y * crop.width * 3);
  }
};

/** Cuts `crop` out of 8-bit RGB pixels in rows of `rowWidth` and writes it as the model wants it. */
export const toTensor = (model: Wanted, pixels: Uint8Array, rowWidth: number, crop: Area): TensorData => {
  const { input, preprocess } = model;
  const tensor = emptyTensor(model, 1);
  if (takesPixels(model)) {
    copyRows(tensor, pixels, rowWidth, crop);
    return tensor;
  }
  const planar = input.layout === 'NCHW';
  const step = planar ? 1 : 3;
  for (let channel = 0; channel < 3; channel++) {
    const colour = input.channels === 'RGB' ? channel : 2 - channel;
    const mean = preprocess.mean[channel] ?? 0;
    const scale = 1 / (preprocess.std[channel] ?? 1);
    let to = planar ? channel * crop.width * crop.height : channel;
    for (let y = 0; y < crop.height; y++) {
      let from = ((crop.top + y) * rowWidth + crop.left) * 3 + colour;
      for (let x = 0; x < crop.width; x++, from += 3, to += step) {
        tensor[to] = ((pixels[from] ?? 0) - mean) * scale;
      }
    }
  }
  return tensor;
};
