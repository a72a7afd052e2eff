import { type Static, Type } from 'typebox';

export const ModelInfo = Type.Object({
  name: Type.String(),
  version: Type.String(),
  digest: Type.String({ description: 'SHA-256 of the ONNX file, hex' }),
  description: Type.String(),
  labels: Type.Array(Type.String()),
  licence: Type.String(),
  accuracy: Type.Object({
    data: Type.String(),
    images: Type.Integer(),
    overall: Type.Number(),
    perLabel: Type.Record(Type.String(), Type.Number()),
  }),
});
/** A model as its manifest describes it. */
export type ModelInfo = Static<typeof ModelInfo>;
