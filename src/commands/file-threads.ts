import { stat } from 'node:fs';

/** As many uploads as this may wait for the disk at once; a sync keeps its thread waiting and costs it nothing. */
const threads = '16';
const name = 'UV_THREADPOOL_SIZE';

/**
 * Has libuv work on files in 16 threads instead of 4, unless the environment says how many: behind four uploads that are
 * being synced, the sync of the store's log would wait, too. To be called before the first asynchronous use of a file:
 * that is when libuv looks. The environment stays as it was, for the processes that inherit it have other work.
 */
export const startFileThreads = (): void => {
  if (process.env[name] !== undefined) return;
  process.env[name] = threads;
  stat('.', () => {});
  delete process.env[name];
};
