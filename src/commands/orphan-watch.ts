import { Worker } from 'node:worker_threads';

// Plain JavaScript in a string: the compiler that strips types would cost the thread more memory than all else.
const source = `
  const { parentPid, intervalMs } = require('node:worker_threads').workerData;
  setInterval(() => {
    if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
  }, intervalMs);
`;

/**
 * Kills this process once its parent is gone. The process notices the closed channel by itself, unless its own thread
 * is inside a model that never returns: so another thread looks every `intervalMs`.
 */
export const killWithParent = (parentPid: number, intervalMs: number): void => {
  new Worker(source, { eval: true, workerData: { parentPid, intervalMs } })
    .on('error', (error: Error) =>
      process.stderr.write(`the watch over the parent process ended: ${error.message}\n`),
    )
    .unref();
};
