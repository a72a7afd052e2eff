import { Image, ImageError, ImageState, Result, Timings } from '../../src/pipeline/image.ts';
import { ModelInfo } from '../../src/web/model-info.ts';
import { Page } from '../../src/web/schemas.ts';
import { Summary } from '../../src/web/summary.ts';
import { System } from '../../src/web/system.ts';
import { Timeline } from '../../src/web/timeline.ts';
import { UploadAnswer } from '../../src/web/upload-answer.ts';
import { type Declared, declarationsOf } from './declarations.ts';

const types: Readonly<Record<string, Declared>> = {
  ImageState: { schema: ImageState, about: 'Every image ends in one of the last three.' },
  ImageError: { schema: ImageError, about: 'Why an image has failed, or is dead.' },
  Timings: { schema: Timings, about: 'Durations of one attempt in milliseconds.' },
  Result: { schema: Result, about: 'What the model said.' },
  Image: { schema: Image, about: 'An image as everybody sees it: the same in answers and in events.' },
  Page: { schema: Page, about: 'One page of a list of images.' },
  AcceptedImage: {
    schema: UploadAnswer.properties.images.items,
    about: 'A file that was taken; `id` is what it is asked for by.',
  },
  UploadAnswer: { schema: UploadAnswer, about: 'What an upload of one file or many is answered with.' },
  TimelineEntry: { schema: Timeline.properties.entries.items, about: 'One thing that happened to an image.' },
  Timeline: { schema: Timeline, about: 'What happened to an image.' },
  ModelInfo: { schema: ModelInfo, about: 'A model as its manifest describes it.' },
  Summary: { schema: Summary, about: 'All images together.' },
  Queue: {
    schema: System.properties.broker.properties.queues.anyOf[0].items,
    about: 'A queue of the broker.',
  },
  System: { schema: System, about: 'What runs there, and how it is.' },
};

/** src/client/answers.ts: the server's schemas as plain types, for programs that have neither them nor TypeBox. */
export const answersSource = (): string =>
  `// Made by \`npm run docs\` from the server's schemas, which OpenAPI is made of, too. Not to be changed by hand.

${declarationsOf(types)}`;
