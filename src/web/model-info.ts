import { type Static, Type } from 'typebox';
import { Nullable } from '../pipeline/image.ts';

export const ModelInfo = Type.Object({
  name: Type.String(),
  version: Type.String(),
  digest: Type.String({ description: 'SHA-256 of the ONNX file, hex' }),
  description: Type.String(),
  labels: Type.Array(Type.String()),
  licence: Type.String(),
  input: Type.Object(
    { width: Type.Integer(), height: Type.Integer() },
    { description: 'Pixels that it is given of each picture' },
  ),
  classes: Type.Integer({
    description: 'Of the underlying network, of which results name the best; 0: none',
  }),
  card: Nullable(
    Type.Object({
      intendedUse: Type.String(),
      limits: Type.Array(Type.String(), { description: 'Where it is known to go wrong' }),
      trainingData: Type.Array(Type.String()),
      labelMix: Nullable(
        Type.Record(Type.String(), Type.Integer()),
        'How many of the pictures of `accuracy` got each label; null: not measured',
      ),
    }),
    'null where the manifest has none',
  ),
  accuracy: Type.Object({
    data: Type.String(),
    images: Type.Integer(),
    overall: Type.Number(),
    perLabel: Type.Record(Type.String(), Type.Number()),
  }),
});
/** A model as its manifest describes it. */
export type ModelInfo = Static<typeof ModelInfo>;
