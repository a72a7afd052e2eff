import { filesystemBlobs } from '../blobs/filesystem.ts';
import { presignedReader } from '../blobs/presigned.ts';
import { sha256OfFile } from '../classifier/digest.ts';
import { openSession } from '../classifier/onnx.ts';
import { classifyBatch, type WorkerContext } from '../classifier/worker.ts';
import type { FromWorker, ToWorker, WorkerSettings } from '../classifier/worker-protocol.ts';
import { killWithParent } from './orphan-watch.ts';

/** The process that a worker pool forks: takes batches over IPC. Untrusted pictures are decoded nowhere else. */

process.title = 'gantry worker';
// Ctrl-C reaches the whole process group; the parent lets running batches end and decides.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));

const say = (message: FromWorker): void => {
  // A parent that is gone reads nothing; 'disconnect' follows.
  process.send?.(message, () => {});
};

const readerOf = ({ images, deadlineMs }: WorkerSettings): WorkerContext['reader'] => {
  if (images.kind === 'urls') {
    return () => {
      const read = presignedReader(deadlineMs / 3);
      return ({ blob, url = '', bytes }) => read({ key: blob, url, bytes });
    };
  }
  const blobs = filesystemBlobs(images.dir);
  return () => (job) => blobs.read(job.blob);
};

const start = async (settings: WorkerSettings): Promise<WorkerContext> => {
  const { model, maxPixels, parentPid } = settings;
  killWithParent(parentPid, 1000);
  if ((await sha256OfFile(model.path)) !== model.digest) {
    throw new Error(
      `${model.path}: has changed since the program started; start it again to use the new one`,
    );
  }
  const session = await openSession(model);
  const reader = readerOf(settings);
  say({ kind: 'ready', rssBytes: process.memoryUsage.rss() });
  return { model, session, reader, maxPixels };
};

let context: WorkerContext | undefined;
const handle = async (message: ToWorker): Promise<void> => {
  if (message.kind === 'start') {
    context = await start(message.settings).catch((error: unknown) => {
      const line = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
      say({ kind: 'broken', message: line });
      return undefined;
    });
  } else if (context) {
    // What is thrown here is no picture's fault that we know: the process ends and the parent starts another.
    const answers = await classifyBatch(context, message.jobs);
    say({ kind: 'answers', answers, rssBytes: process.memoryUsage.rss() });
  }
};
process.on('message', handle);
