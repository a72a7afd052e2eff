import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Type } from 'typebox';
import { answersSource } from '../../scripts/client/answers.ts';
import { declarationsOf } from '../../scripts/client/declarations.ts';
import type * as client from '../../src/client/answers.ts';
import type * as image from '../../src/pipeline/image.ts';
import type { ModelInfo } from '../../src/web/model-info.ts';
import type { Page } from '../../src/web/schemas.ts';
import type { Summary } from '../../src/web/summary.ts';
import type { System } from '../../src/web/system.ts';
import type { Timeline } from '../../src/web/timeline.ts';
import type { AcceptedImage, UploadAnswer } from '../../src/web/upload-answer.ts';

/** `true` if neither says more or less than the other; an optional field is not one that may be undefined. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Checked by tsc: what the client's types say is what the server's say. */
const same = {
  ImageState: true satisfies Same<client.ImageState, image.ImageState>,
  ImageError: true satisfies Same<client.ImageError, image.ImageError>,
  Timings: true satisfies Same<client.Timings, image.Timings>,
  Result: true satisfies Same<client.Result, image.Result>,
  Image: true satisfies Same<client.Image, image.Image>,
  Page: true satisfies Same<client.Page, Page>,
  AcceptedImage: true satisfies Same<client.AcceptedImage, AcceptedImage>,
  UploadAnswer: true satisfies Same<client.UploadAnswer, UploadAnswer>,
  TimelineEntry: true satisfies Same<client.TimelineEntry, Timeline['entries'][number]>,
  Timeline: true satisfies Same<client.Timeline, Timeline>,
  ModelInfo: true satisfies Same<client.ModelInfo, ModelInfo>,
  Summary: true satisfies Same<client.Summary, Summary>,
  Queue: true satisfies Same<client.Queue, NonNullable<System['broker']['queues']>[number]>,
  System: true satisfies Same<client.System, System>,
};

test("src/client/answers.ts is what the server's schemas say (npm run docs)", () => {
  const source = readFileSync(new URL('../../src/client/answers.ts', import.meta.url), 'utf8');
  assert.equal(source, answersSource());
  const declared = [...source.matchAll(/^export type (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared, Object.keys(same), 'tsc is to compare each of them');
});

test('declarations: names instead of copies, optional fields, comments, and no guess', () => {
  const inner = Type.Object({ at: Type.String({ format: 'date-time', description: 'Then' }) });
  const whole = Type.Object({
    one: Type.Optional(inner),
    list: Type.Array(Type.Union([Type.Integer({ description: 'a */ b' }), Type.Null()])),
  });
  assert.equal(
    declarationsOf({
      Inner: { schema: inner, about: 'Inner.' },
      Whole: { schema: whole, about: 'Whole.' },
    }),
    `/** Inner. */
export type Inner = {
  /** Then; ISO 8601 */
  at: string;
};

/** Whole. */
export type Whole = {
  one?: Inner;
  list: (number | null)[];
};
`,
  );
  const unknown = Type.Object({ odd: Type.Unknown() });
  assert.throws(() => declarationsOf({ Odd: { schema: unknown, about: '' } }), /not made of such a schema/);
});
