import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { asBuffer } from '../as-buffer.ts';
import { ImageError, Result } from './image.ts';

/** What waits in the queue `images`: where the picture is, never its bytes. */
export const Job = Type.Object({
  version: Type.Literal(1),
  id: Type.String({ format: 'uuid' }),
  blob: Type.String(),
  contentType: Type.String(),
  bytes: Type.Integer(),
  pipeline: Type.String(),
  generation: Type.Integer({ minimum: 1 }),
  attempt: Type.Integer({ minimum: 1 }),
  submittedAt: Type.String({ format: 'date-time' }),
  traceparent: Type.Optional(Type.String({ description: 'W3C Trace Context of what led to the job' })),
});
export type Job = Static<typeof Job>;

/** What a worker learnt of a picture from its one decode. */
export const Picture = Type.Object({
  width: Type.Integer(),
  height: Type.Integer(),
  thumbnail: Type.String({ description: 'JPEG of at most 16 KB, base64' }),
});
export type Picture = Static<typeof Picture>;

const attempt = {
  id: Type.String({ format: 'uuid' }),
  generation: Type.Integer({ minimum: 1 }),
  attempt: Type.Integer({ minimum: 1 }),
};
const ofJob = { version: Type.Literal(1), ...attempt };
const succeeded = { ...ofJob, kind: Type.Literal('succeeded'), result: Result, picture: Picture };
const failed = {
  ...{ ...ofJob, kind: Type.Literal('failed'), error: ImageError },
  picture: Type.Union([Picture, Type.Null()]),
};

/** What became of an attempt that needs no other. */
const Ended = Type.Union([Type.Object(succeeded), Type.Object(failed)]);
export type Ended = Static<typeof Ended>;

/**
 * What comes back through the queue `results`, of one attempt or, with `others`, of several. `processing` is an
 * unconfirmed hint.
 */
export const Report = Type.Union([
  Type.Object({
    ...ofJob,
    kind: Type.Literal('processing'),
    others: Type.Optional(Type.Array(Type.Object(attempt))),
  }),
  Type.Object({ ...succeeded, others: Type.Optional(Type.Array(Ended)) }),
  Type.Object({ ...failed, others: Type.Optional(Type.Array(Ended)) }),
]);
export type Report = Static<typeof Report>;

/** A job that used up its attempts, in `images.dead`; `error` is missing when the broker itself gave up on it. */
export const DeadJob = Type.Object({ ...Job.properties, error: Type.Optional(ImageError) });
export type DeadJob = Static<typeof DeadJob>;

/** An outcome as the store records it. */
export type Outcome =
  | Ended
  | { version: 1; id: string; generation: number; attempt: number; kind: 'dead'; error: ImageError };
export type ProcessingHint = Omit<Extract<Report, { kind: 'processing' }>, 'others'>;

/** The hints in one message. */
export const hintsIn = ({
  others = [],
  ...first
}: Extract<Report, { kind: 'processing' }>): ProcessingHint[] => [
  first,
  ...others.map((other) => ({ ...first, ...other })),
];

/** The outcomes in one message. */
export const outcomesIn = ({ others = [], ...first }: Exclude<Report, { kind: 'processing' }>): Ended[] => [
  first,
  ...others,
];

/** A body that is no message of ours; redelivery cannot mend it. */
export class InvalidMessage extends Error {
  readonly code = 'invalid-message';
}

const parser = <T extends TSchema>(schema: T, what: string) => {
  const compiled = Compile(schema);
  /** Parses a message body. Throws {@link InvalidMessage} with the first fault. */
  return (body: Uint8Array): Static<T> => {
    let value: unknown;
    try {
      value = JSON.parse(asBuffer(body).toString('utf8'));
    } catch (cause) {
      throw new InvalidMessage(`${what} is no JSON`, { cause });
    }
    if (compiled.Check(value)) return value as Static<T>;
    const fault = [...compiled.Errors(value)][0];
    throw new InvalidMessage(`${what}: ${fault?.instancePath || '/'} ${fault?.message ?? 'is wrong'}`);
  };
};

export const parseJob = parser(Job, 'job');
export const parseReport = parser(Report, 'report');
export const parseDeadJob = parser(DeadJob, 'dead job');

/** The body of any message: compact JSON, so that an operator reads the image ID in the broker's own pages. */
export const encode = (message: Job | Report | DeadJob): Buffer => Buffer.from(JSON.stringify(message));
