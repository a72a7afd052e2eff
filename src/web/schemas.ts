import { type Static, Type } from 'typebox';
import { Image, Nullable } from '../pipeline/image.ts';
import { ProblemBody } from './problem.ts';

/** Schemas that several routes share. */
export const Id = Type.Object({ id: Type.String({ format: 'uuid' }) });

export const problemResponses = { '4xx': ProblemBody, '5xx': ProblemBody };

/** A SHA-256 as we write it. */
export const sha256Pattern = '^[0-9a-f]{64}$';

/** Query parameters of every list. */
export const paging = {
  cursor: Type.Optional(Type.String({ maxLength: 500, description: '`next` of the page before' })),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
};

export const Page = Type.Object({
  images: Type.Array(Image),
  next: Nullable(Type.String(), 'Cursor of the next page; null on the last'),
});
export type Page = Static<typeof Page>;
