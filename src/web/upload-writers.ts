import type { PartBody } from './part-body.ts';
import type { Problem } from './problem.ts';

interface Writer {
  stop(why: Problem): void;
  readonly ended: Promise<unknown>;
}

/** The requests of this process that are bringing bytes of some upload. */
export interface UploadWriters {
  /** Runs `write` as a writer of this upload. Throws the problem that it was stopped with, once it has ended. */
  during<T>(id: string, body: PartBody, write: () => Promise<T>): Promise<T>;
  /** Stops the writers of an upload, and resolves when what they have brought is kept. */
  stop(id: string, why: Problem): Promise<void>;
  /** Stops them all, and whoever comes later before it begins. */
  stopAll(why: Problem): Promise<void>;
}

export const uploadWriters = (): UploadWriters => {
  const writers = new Map<string, Set<Writer>>();
  let stoppedForGood: Problem | undefined;
  const stop = async (of: Iterable<Writer>, why: Problem): Promise<void> => {
    const stopped = [...of];
    for (const writer of stopped) writer.stop(why);
    await Promise.allSettled(stopped.map(({ ended }) => ended));
  };
  return {
    async during(id, body, write) {
      if (stoppedForGood) throw stoppedForGood;
      let stoppedWith: Problem | undefined;
      const ended = write();
      const writer: Writer = {
        ended,
        stop(why) {
          stoppedWith = why;
          body.stop();
        },
      };
      const ofUpload = writers.get(id) ?? new Set();
      writers.set(id, ofUpload.add(writer));
      try {
        const result = await ended;
        if (stoppedWith) throw stoppedWith;
        return result;
      } finally {
        ofUpload.delete(writer);
        if (ofUpload.size === 0) writers.delete(id);
      }
    },
    stop: (id, why) => stop(writers.get(id) ?? [], why),
    stopAll(why) {
      stoppedForGood = why;
      const all = [...writers.values()].flatMap((ofUpload) => [...ofUpload]);
      return stop(all, why);
    },
  };
};
