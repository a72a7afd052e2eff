import { type Static, Type } from 'typebox';

/** What an upload of one file or many is answered with. */
export const UploadAnswer = Type.Object({
  message: Type.String(),
  correlationId: Type.String({ format: 'uuid', description: 'ID of the first accepted image' }),
  images: Type.Array(
    Type.Object({
      id: Type.String({ format: 'uuid' }),
      filename: Type.String(),
      bytes: Type.Integer(),
      contentType: Type.String(),
      sha256: Type.String(),
      url: Type.String(),
    }),
  ),
  refused: Type.Optional(
    Type.Array(
      Type.Object({
        filename: Type.String(),
        status: Type.Integer(),
        code: Type.String(),
        detail: Type.String(),
      }),
      { description: 'Files of the same request that were not taken; present only if there are any' },
    ),
  ),
});
export type UploadAnswer = Static<typeof UploadAnswer>;
export type AcceptedImage = UploadAnswer['images'][number];
