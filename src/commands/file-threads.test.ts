import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startGantry } from '../../test/start-gantry.ts';

/** Libuv's threads of a process, by the name that it gives them. */
const threadsOf = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).filter((id) =>
    readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').startsWith('libuv-worker'),
  ).length;

const linux = process.platform === 'linux' ? false : 'the threads are counted in /proc';

test('the server has enough threads for its files, unless the environment says how many', {
  skip: linux,
}, async () => {
  for (const [given, expected] of [
    [undefined, 16],
    ['3', 3],
  ] as const) {
    const server = await startGantry({ env: { UV_THREADPOOL_SIZE: given } });
    try {
      assert.equal(threadsOf(server.process.pid ?? 0), expected);
    } finally {
      await server.stop();
    }
  }
});
