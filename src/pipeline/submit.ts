import type { Acceptance, NewImage, Store, Submission } from '../store/store.ts';
import { type Dispatch, outboxLeaseMs } from './dispatch.ts';
import { grouped } from './grouped.ts';
import type { Job } from './message.ts';

const firstJob = (image: NewImage, submittedAt: string, traceparent: string | undefined): Job => ({
  version: 1,
  id: image.id,
  blob: image.blob,
  contentType: image.contentType,
  bytes: image.bytes,
  pipeline: image.pipeline,
  generation: 1,
  attempt: 1,
  submittedAt,
  ...(traceparent === undefined ? {} : { traceparent }),
});

/**
 * Accepts received files: image rows and outbox rows in one transaction. When it resolves `accepted` nothing can
 * be lost any more; publishing goes on by itself, and what fails there is the relay's.
 */
export type Submit = (submission: Submission) => Promise<Acceptance>;

export const createSubmit = (store: Store, dispatch: Dispatch, changed: () => void): Submit => {
  const accept = grouped((submissions: Submission[]) => store.accept(submissions, outboxLeaseMs));
  return async (submission) => {
    const acceptance = await accept(submission);
    if (acceptance.kind === 'accepted') {
      changed();
      const now = new Date().toISOString();
      for (const image of submission.images) {
        void dispatch(firstJob(image, now, submission.traceparent));
      }
    }
    return acceptance;
  };
};
