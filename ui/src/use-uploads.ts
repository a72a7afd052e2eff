import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { fetchImage } from './api.ts';
import type { Selection } from './dropped-files.ts';
import type { Live } from './live.ts';
import { transfer } from './transfer.ts';
import { createUploadQueue, type Upload, type UploadQueue } from './upload-queue.ts';

/** The uploads of this page. */
export interface Uploads {
  readonly queue: UploadQueue;
  readonly uploads: readonly Upload[];
  /** The paths of files in folders that were not sent; none: a folder had nothing at all; null: nothing to tell. */
  readonly passedOver: readonly string[] | null;
  readonly forgetPassedOver: () => void;
  readonly add: (selection: Selection) => void;
}

const joined = (before: readonly string[] | null, { files, passedOver }: Selection) => {
  if (passedOver === null || (passedOver.length === 0 && files.length > 0)) return before;
  return [...new Set([...(before ?? []), ...passedOver])];
};

/** Uploads what is added, and asks before the page is left meanwhile. */
export const useUploads = (live: Live): Uploads => {
  const [queue] = useState(() =>
    createUploadQueue(transfer, (ids) => {
      // The event may be late or lost; the uploader sees the image at once all the same.
      for (const id of ids) fetchImage(id).then(live.learn, () => undefined);
    }),
  );
  const uploads = useSyncExternalStore(queue.subscribe, queue.uploads);
  const [passedOver, setPassedOver] = useState<readonly string[] | null>(null);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (queue.isBusy()) event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [queue]);
  const add = useCallback(
    (selection: Selection) => {
      setPassedOver((before) => joined(before, selection));
      if (selection.files.length > 0) queue.add(selection.files);
    },
    [queue],
  );
  const forgetPassedOver = useCallback(() => setPassedOver(null), []);
  return { queue, uploads, passedOver, forgetPassedOver, add };
};
