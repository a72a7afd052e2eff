import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accepted, ended, events, json, type UploadJson, upload } from '../test/acceptance/target.ts';
import { startGantry } from '../test/start-gantry.ts';
import type { Benchmark } from './benchmark.ts';
import { makePictures, percentile, rounded } from './pictures.ts';

/** One picture at a time, so nobody waits for anybody. */
export const idle: Benchmark = {
  about: 'milliseconds from upload to result, one picture at a time',
  async run(quick) {
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const files = await makePictures(folder);
    const server = await startGantry();
    const accept: number[] = [];
    const result: number[] = [];
    try {
      for (let n = 0; n < 5; n++) await ended(server.url, await accepted(server.url, 'cats/chelsea.png'));
      const stream = events(`${server.url}/events`);
      for (let n = 0; n < (quick ? 30 : 300); n++) {
        const bytes = (await readFile(files[n % files.length] ?? '')) as Buffer<ArrayBuffer>;
        const began = performance.now();
        const { correlationId } = await json<UploadJson>(
          await upload(server.url, [{ name: 'a.jpg', bytes }]),
        );
        accept.push(performance.now() - began);
        for (;;) {
          const { value } = await stream.next();
          if (value?.event === 'succeeded' && value.data.includes(correlationId)) break;
        }
        result.push(performance.now() - began);
      }
      await stream.return(undefined);
    } finally {
      await server.stop();
      await rm(folder, { recursive: true });
    }
    const row = (figure: string, values: number[]) => ({
      figure,
      'p50 ms': rounded(percentile(values, 0.5)),
      'p99 ms': rounded(percentile(values, 0.99)),
    });
    return {
      title: `upload to result when idle, ${result.length} pictures of 500 x 375`,
      rows: [row('upload to 202', accept), row('upload to result event', result)],
    };
  },
};
