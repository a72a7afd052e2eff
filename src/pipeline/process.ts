import type { Broker, Delivery, Verdict } from '../broker/broker.ts';
import { retryQueue } from '../broker/topology.ts';
import { type Classified, type Classifier, ClassifierFault } from '../classifier/classifier.ts';
import type { Logger } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { inSpan, pastSpan, type SpanSettings } from '../observability/tracing.ts';
import { encode, InvalidMessage, type Job, parseJob } from './message.ts';
import { propertiesOf, underWayMs } from './properties.ts';
import { tellTaken } from './taken.ts';
import { tellEnded } from './tell-ended.ts';

export interface ProcessContext {
  readonly broker: Broker;
  readonly classifier: Classifier;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Attempts an image gets before it is dead. */
  readonly maxAttempts: number;
}

/** Publishes the job for its next attempt, or into `images.dead` once it has had them all. */
const tryAgain = async (
  { broker, metrics, log, maxAttempts }: ProcessContext,
  job: Job,
  fault: ClassifierFault,
): Promise<void> => {
  const error = { code: fault.code, message: fault.message };
  const about = { imageId: job.id, attempt: job.attempt, error };
  metrics.attempts.inc({ outcome: fault.code });
  if (fault.code === 'storage-unavailable') {
    log.warn(about, 'image storage unavailable; the attempt does not count');
    await broker.publish('images.retry.10s', encode(job), propertiesOf(job));
    metrics.retries.inc({ queue: 'images.retry.10s' });
  } else if (job.attempt < maxAttempts) {
    const queue = retryQueue(job.attempt);
    log.warn({ ...about, queue }, 'attempt failed, will be tried again');
    const next = { ...job, attempt: job.attempt + 1 };
    await broker.publish(queue, encode(next), propertiesOf(next));
    metrics.retries.inc({ queue });
  } else {
    log.error(about, 'attempt failed, and it was the last');
    await broker.publish('images.dead', encode({ ...job, error }), propertiesOf(job));
  }
};

const spanOf = ({ id, generation, attempt, pipeline }: Job): SpanSettings => ({
  attributes: {
    ...{ 'gantry.image.id': id, 'gantry.model': pipeline },
    ...{ 'gantry.generation': generation, 'gantry.attempt': attempt },
  },
});

/** What the worker process did, by its own clock. */
const traceStages = ({ timings, begunAt }: Classified): void => {
  pastSpan('fetch', begunAt.fetch, timings.fetchMs);
  pastSpan('decode', begunAt.fetch + timings.fetchMs, timings.decodeMs);
  pastSpan('infer', begunAt.infer, timings.inferMs);
};

/**
 * Handles one job of the queue `images`: classifies the image and publishes the outcome, confirmed, before the job
 * is acknowledged. Throws (so the job is delivered again) only if the broker takes no message.
 */
export const createProcess = (context: ProcessContext): ((delivery: Delivery) => Promise<Verdict>) => {
  const { broker, classifier, metrics, log } = context;
  const taken = tellTaken(broker);
  const tell = tellEnded(broker);
  return async (delivery) => {
    let job: Job;
    try {
      job = parseJob(delivery.body);
    } catch (err) {
      if (!(err instanceof InvalidMessage)) throw err;
      log.error({ err }, 'a message in `images` is no job');
      return 'dead-letter';
    }
    const about = { imageId: job.id };
    const inQueueMs = underWayMs(delivery.headers);
    if (inQueueMs !== undefined) metrics.stageSeconds.observe({ stage: 'queue' }, inQueueMs / 1000);
    const waitMs = Math.max(0, Date.now() - Date.parse(job.submittedAt));
    const ended = taken(job);
    try {
      const outcome = await inSpan('classify', spanOf(job), async () => {
        const answer = await classifier.classify(job);
        if (answer.kind === 'classified') traceStages(answer);
        return answer;
      });
      if (outcome.kind === 'refused') {
        log.info({ ...about, error: outcome.error }, 'image cannot be used');
        metrics.attempts.inc({ outcome: 'refused' });
        await tell(job, { kind: 'failed', error: outcome.error, picture: null });
        return 'ack';
      }
      const { bytes, picture, result } = outcome;
      const timings = { waitMs, ...outcome.timings };
      await tell(job, {
        kind: 'succeeded',
        result: { ...result, timings, attempts: job.attempt },
        picture,
      });
      const { fetchMs, decodeMs, inferMs } = timings;
      const ms = Math.round((fetchMs + decodeMs + inferMs) * 10) / 10;
      // Both now, so that they are written together.
      log.info({ ...about, bytes, contentType: job.contentType, key: job.blob }, 'image retrieved');
      log.info({ ...about, label: result.label, confidence: result.confidence, ms }, 'image classified');
      metrics.attempts.inc({ outcome: 'succeeded' });
      for (const [stage, took] of Object.entries({ fetch: fetchMs, decode: decodeMs, infer: inferMs }))
        metrics.stageSeconds.observe({ stage }, took / 1000);
    } catch (error) {
      if (!(error instanceof ClassifierFault) || error.code === 'stopped') throw error;
      if (error.code === 'blob-missing') {
        metrics.attempts.inc({ outcome: error.code });
        // It was durable before the job was published: somebody deleted it, and no attempt brings it back.
        log.warn(about, 'the original is gone');
        const gone = { code: error.code, message: 'the original is no longer stored' };
        await tell(job, { kind: 'failed', error: gone, picture: null });
        return 'ack';
      }
      await tryAgain(context, job, error);
    } finally {
      ended();
    }
    return 'ack';
  };
};
