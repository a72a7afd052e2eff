// Made by `npm run docs` from the server's schemas, which OpenAPI is made of, too. Not to be changed by hand.

/** Every image ends in one of the last three. queued → processing → succeeded; failed (the picture itself cannot be used) or dead (every attempt failed) */
export type ImageState = 'queued' | 'processing' | 'succeeded' | 'failed' | 'dead';

/** Why an image has failed, or is dead. */
export type ImageError = {
  /** A stable name of the reason, such as `undecodable` */
  code: string;
  message: string;
};

/** Durations of one attempt in milliseconds. */
export type Timings = {
  /** from the upload to the start of this attempt */
  waitMs: number;
  fetchMs: number;
  decodeMs: number;
  /** this image's batch in the model */
  inferMs: number;
};

/** What the model said. */
export type Result = {
  /** One of the model's labels: dog, cat or other for `pets` */
  label: string;
  confidence: number;
  /** Score of every label */
  scores: Record<string, number>;
  /** Best classes of the underlying network (ImageNet for `pets`), best first */
  top: {
    label: string;
    score: number;
  }[];
  model: {
    name: string;
    version: string;
    digest: string;
  };
  timings: Timings;
  attempts: number;
};

/** An image as everybody sees it: the same in answers and in events. */
export type Image = {
  /** UUIDv7; also the correlation ID of the upload */
  id: string;
  state: ImageState;
  /** As the client named it, made safe to show; never used as a path */
  filename: string;
  /** Decided from the bytes */
  contentType: string;
  bytes: number;
  /** hex */
  sha256: string;
  /** Pixels, as shown (after EXIF rotation) */
  width: number | null;
  height: number | null;
  /** Name of the model that the image is meant for */
  pipeline: string;
  /** Counts reprocessing; 1 is the upload itself */
  generation: number;
  /** Attempts started in this generation */
  attempts: number;
  /** ISO 8601 */
  createdAt: string;
  /** ISO 8601 */
  updatedAt: string;
  result: Result | null;
  error: ImageError | null;
};

/** One page of a list of images. */
export type Page = {
  images: Image[];
  /** Cursor of the next page; null on the last */
  next: string | null;
};

/** A file that was taken; `id` is what it is asked for by. */
export type AcceptedImage = {
  id: string;
  filename: string;
  bytes: number;
  contentType: string;
  sha256: string;
  url: string;
};

/** What an upload of one file or many is answered with. */
export type UploadAnswer = {
  message: string;
  /** ID of the first accepted image */
  correlationId: string;
  images: AcceptedImage[];
  /** Files of the same request that were not taken; present only if there are any */
  refused?: {
    filename: string;
    status: number;
    code: string;
    detail: string;
  }[];
};

/** One thing that happened to an image. */
export type TimelineEntry = {
  /** ISO 8601 */
  at: string;
  /** accepted: the upload began; queued: it is durable; reprocessed: queued as a new generation */
  kind: 'accepted' | 'queued' | 'processing' | 'succeeded' | 'failed' | 'dead' | 'reprocessed';
  generation: number;
  /** null before the first of a generation */
  attempt: number | null;
  /** Milliseconds since the entry before */
  sinceMs: number;
  /** The reason of a failure */
  detail: string | null;
  /** Of the attempt that succeeded */
  timings: Timings | null;
};

/** What happened to an image. */
export type Timeline = {
  /** Oldest first */
  entries: TimelineEntry[];
  /** Whether older entries are missing: they are no longer kept */
  truncated: boolean;
};

/** A model as its manifest describes it. */
export type ModelInfo = {
  name: string;
  version: string;
  /** SHA-256 of the ONNX file, hex */
  digest: string;
  description: string;
  labels: string[];
  licence: string;
  /** Pixels that it is given of each picture */
  input: {
    width: number;
    height: number;
  };
  /** Of the underlying network, of which results name the best; 0: none */
  classes: number;
  /** null where the manifest has none */
  card: {
    intendedUse: string;
    /** Where it is known to go wrong */
    limits: string[];
    trainingData: string[];
    /** How many of the pictures of `accuracy` got each label; null: not measured */
    labelMix: Record<string, number> | null;
  } | null;
  accuracy: {
    data: string;
    images: number;
    overall: number;
    perLabel: Record<string, number>;
  };
};

/** All images together. */
export type Summary = {
  states: {
    queued: number;
    processing: number;
    succeeded: number;
    failed: number;
    dead: number;
  };
  total: number;
  /** How many images have each label */
  labels: Record<string, number>;
  /** When the oldest image that is queued or processing was uploaded */
  oldestUnfinishedAt: string | null;
  /** ISO 8601 */
  at: string;
  throughput: {
    /** Images finished in the last minute, divided by 60 */
    perSecond: number;
    stepSeconds: number;
    /** The last 30 steps, oldest first, each told by its begin; the last one is not over. An image that is reprocessed is finished once more. */
    series: {
      /** ISO 8601 */
      at: string;
      accepted: number;
      finished: number;
    }[];
  };
};

/** A queue of the broker. */
export type Queue = {
  name: string;
  /** Messages that wait */
  ready: number;
  consumers: number | null;
};

/** What runs there, and how it is. */
export type System = {
  /** Gantry's */
  version: string;
  /** Node.js's version */
  node: string;
  /** When this process began; ISO 8601 */
  startedAt: string;
  role: 'serve' | 'web';
  store: {
    kind: 'sqlite' | 'postgres';
  };
  blobs: {
    kind: 'filesystem' | 's3';
    /** null where it has no end, or while it is away */
    freeBytes: number | null;
  };
  broker: {
    kind: 'memory' | 'rabbitmq';
    connected: boolean;
    /** null while the broker is away */
    queues: Queue[] | null;
  };
  /** Jobs that the broker has not confirmed */
  outbox: {
    /** null while the store is away */
    rows: number | null;
    /** ISO 8601 */
    oldestAt: string | null;
  };
  limits: {
    maxFileBytes: number;
    /** In one upload request */
    maxFiles: number;
    acceptedTypes: string[];
  };
  models: ModelInfo[];
  access: {
    /** Whether an API key is needed */
    keys: boolean;
  };
};
