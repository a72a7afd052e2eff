import { type Static, Type } from 'typebox';
import type { ProblemCode } from './problem-codes.ts';

/** An error as every route answers it: RFC 9457, `application/problem+json`. */
export const ProblemBody = Type.Object(
  {
    type: Type.String({ description: 'Always about:blank; `code` tells the kind' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({
      description: 'What was wrong with this request, and the limit where there is one',
    }),
    code: Type.String({ description: 'A stable name of the reason' }),
  },
  { additionalProperties: true },
);
export type ProblemBody = Static<typeof ProblemBody>;

/** Thrown by a route to answer with a problem. `more` is added to the body. */
export class Problem extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly more: Readonly<Record<string, unknown>>;
  constructor(
    status: number,
    code: ProblemCode,
    detail: string,
    extra: { headers?: Record<string, string>; more?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(detail, { cause: extra.cause });
    this.status = status;
    this.code = code;
    this.headers = extra.headers ?? {};
    this.more = extra.more ?? {};
  }
}

export const notFound = (what: string): Problem => new Problem(404, 'not-found', `there is no ${what}`);
