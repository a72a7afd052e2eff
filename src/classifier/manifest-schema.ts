import { type Static, type TProperties, Type } from 'typebox';

const closed = <T extends TProperties>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });
const text = Type.String({ minLength: 1 });
const size = Type.Integer({ minimum: 1, maximum: 8192 });
const share = Type.Number({ minimum: 0, maximum: 1 });
const perChannel = Type.Tuple([Type.Number(), Type.Number(), Type.Number()]);
const activation = Type.Enum(['none', 'softmax']);

/** The rules by which scores become one label; {@link Manifest} says which one a model uses. */
export const decisions = {
  /** The label with the highest score. */
  argmax: closed({ rule: Type.Literal('argmax') }),
  /** The label with the highest score, unless that is below the label's minimum: then `otherwise`. */
  threshold: closed({
    rule: Type.Literal('threshold'),
    minimum: Type.Record(Type.String(), share),
    otherwise: text,
  }),
};

/** A model folder's manifest.json. What it says is checked further by `readManifest` and `loadModel`. */
export const Manifest = closed({
  /** Also the name of the pipeline that runs the model. */
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' }),
  version: text,
  description: Type.String(),
  /** The ONNX file and its digest in hex; a path inside the folder. */
  file: text,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  input: closed({
    name: text,
    type: Type.Enum(['float32', 'uint8']),
    layout: Type.Enum(['NCHW', 'NHWC']),
    /** The first is 'batch' for any number of pictures, 1 for a model that takes them one by one. */
    shape: Type.Tuple([Type.Enum(['batch', 1]), size, size, size]),
    channels: Type.Enum(['RGB', 'BGR']),
  }),
  preprocess: closed({
    /** The shorter side becomes this long; the longer one in proportion, rounded down. */
    resize: closed({ shorterSide: size, kernel: Type.Enum(['cubic', 'linear', 'nearest', 'lanczos3']) }),
    crop: closed({ width: size, height: size, gravity: Type.Literal('centre') }),
    /** Of 0 … 255, in the order of `channels`: the tensor holds (value - mean) / std. */
    mean: perChannel,
    std: perChannel,
  }),
  outputs: closed({
    scores: closed({
      name: text,
      labels: Type.Array(text, { minItems: 2, uniqueItems: true }),
      activation,
    }),
    /** Classes of the underlying network, of which the best `count` are told. */
    top: Type.Optional(
      closed({ name: text, labelsFile: text, activation, count: Type.Integer({ minimum: 1, maximum: 100 }) }),
    ),
  }),
  decision: Type.Union([decisions.argmax, decisions.threshold]),
  /** What `gantry canary` uploads, and the label it must get: a picture that every version of the model knows. */
  canary: Type.Optional(closed({ picture: text, label: text })),
  licence: text,
  /** For people: what it is for, where it goes wrong, what it learnt from; `labelMix`: what it said, by label. */
  card: Type.Optional(
    closed({
      intendedUse: text,
      limits: Type.Array(text),
      trainingData: Type.Array(text),
      labelMix: Type.Optional(Type.Record(Type.String(), Type.Integer({ minimum: 0 }))),
    }),
  ),
  /** As its maker measured it, on `images` pictures of `data` that it was not trained on. */
  accuracy: closed({
    data: text,
    images: Type.Integer({ minimum: 0 }),
    overall: share,
    perLabel: Type.Record(Type.String(), share),
  }),
});
export type Manifest = Static<typeof Manifest>;
