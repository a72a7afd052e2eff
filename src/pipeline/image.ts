import { type Static, type TSchema, Type } from 'typebox';

/** Every image ends in one of the last three. `processing` is a hint: nothing depends on it. */
export const ImageState = Type.Enum(['queued', 'processing', 'succeeded', 'failed', 'dead'], {
  description:
    'queued → processing → succeeded; failed (the picture itself cannot be used) or dead (every attempt failed)',
});
export type ImageState = Static<typeof ImageState>;

export const isFinal = (state: ImageState): boolean => state !== 'queued' && state !== 'processing';

export const ImageError = Type.Object({
  code: Type.String({ description: 'A stable name of the reason, such as `undecodable`' }),
  message: Type.String(),
});
export type ImageError = Static<typeof ImageError>;

/** Durations of one attempt in milliseconds. */
export const Timings = Type.Object({
  waitMs: Type.Number({ description: 'from the upload to the start of this attempt' }),
  fetchMs: Type.Number(),
  decodeMs: Type.Number(),
  inferMs: Type.Number({ description: "this image's batch in the model" }),
});
export type Timings = Static<typeof Timings>;

export const Result = Type.Object({
  label: Type.String({ description: "One of the model's labels: dog, cat or other for `pets`" }),
  confidence: Type.Number({ minimum: 0, maximum: 1 }),
  scores: Type.Record(Type.String(), Type.Number(), { description: 'Score of every label' }),
  top: Type.Array(Type.Object({ label: Type.String(), score: Type.Number() }), {
    description: 'Best classes of the underlying network (ImageNet for `pets`), best first',
  }),
  model: Type.Object({ name: Type.String(), version: Type.String(), digest: Type.String() }),
  timings: Timings,
  attempts: Type.Integer({ minimum: 1 }),
});
export type Result = Static<typeof Result>;

/** `description` says what null means. */
export const Nullable = <T extends TSchema>(type: T, description?: string) =>
  Type.Union([type, Type.Null()], description === undefined ? {} : { description });

/** An image as everybody sees it: the same in the API, in events and on the command line. */
export const Image = Type.Object({
  id: Type.String({ format: 'uuid', description: 'UUIDv7; also the correlation ID of the upload' }),
  state: ImageState,
  filename: Type.String({ description: 'As the client named it, made safe to show; never used as a path' }),
  contentType: Type.String({ description: 'Decided from the bytes' }),
  bytes: Type.Integer(),
  sha256: Type.String({ description: 'hex' }),
  width: Nullable(Type.Integer({ description: 'Pixels, as shown (after EXIF rotation)' })),
  height: Nullable(Type.Integer()),
  pipeline: Type.String({ description: 'Name of the model that the image is meant for' }),
  generation: Type.Integer({ minimum: 1, description: 'Counts reprocessing; 1 is the upload itself' }),
  attempts: Type.Integer({ minimum: 0, description: 'Attempts started in this generation' }),
  createdAt: Type.String({ format: 'date-time' }),
  updatedAt: Type.String({ format: 'date-time' }),
  result: Nullable(Result),
  error: Nullable(ImageError),
});
export type Image = Static<typeof Image>;
