import { type Static, Type } from 'typebox';

const AcceptedImage = Type.Object({
  id: Type.String({ format: 'uuid' }),
  filename: Type.String(),
  bytes: Type.Integer(),
  contentType: Type.String(),
  sha256: Type.String(),
  url: Type.String(),
});
export type AcceptedImage = Static<typeof AcceptedImage>;

/** What an upload of one file or many is answered with. */
export const UploadAnswer = Type.Object({
  message: Type.String(),
  correlationId: Type.String({ format: 'uuid', description: 'ID of the first accepted image' }),
  images: Type.Array(AcceptedImage),
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

type Images = readonly [Omit<AcceptedImage, 'url'>, ...Omit<AcceptedImage, 'url'>[]];

/** The answer to a request of whose files at least one was accepted. */
export const answerTo = (images: Images, refused: NonNullable<UploadAnswer['refused']>): UploadAnswer => ({
  message: images.length === 1 ? 'Image accepted' : `${images.length} images accepted`,
  correlationId: images[0].id,
  images: images.map(({ id, filename, bytes, contentType, sha256 }) => ({
    ...{ id, filename, bytes, contentType, sha256 },
    url: `/images/${id}`,
  })),
  ...(refused.length > 0 ? { refused } : {}),
});
