import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGantry } from '../test/start-gantry.ts';
import type { Benchmark } from './benchmark.ts';
import { gantryRound } from './gantry-round.ts';
import { makePictures, percentile, rounded } from './pictures.ts';
import { processorMs } from './processes.ts';

/** Takes what is exported and does nothing with it: a real collector would share the cores. */
const startSink = async () => {
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, bytes: () => bytes, close: () => server.close() };
};

export const tracing: Benchmark = {
  about: 'what traces cost the server: its own processor time for an image, without and with them',
  async run(quick) {
    const [count, rounds] = quick ? [60, 1] : [500, 3];
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const loaded = (await Promise.all(
      (await makePictures(folder)).map((file) => readFile(file)),
    )) as Buffer<ArrayBuffer>[];
    const pictures = Array.from({ length: count }, (_, n) => loaded[n % loaded.length] ?? Buffer.alloc(0));
    const sink = await startSink();
    const servers = {
      off: await startGantry({ env: { GANTRY_LOG_LEVEL: 'info' } }),
      on: await startGantry({ env: { GANTRY_LOG_LEVEL: 'info', GANTRY_OTLP_URL: sink.url } }),
    };
    const perImage: Record<keyof typeof servers, number[]> = { off: [], on: [] };
    const round = async (name: keyof typeof servers): Promise<void> => {
      // Its own, its workers not counted.
      const pids = [servers[name].process.pid ?? 0];
      const before = await processorMs(pids);
      await gantryRound(servers[name].url, pictures);
      perImage[name].push(((await processorMs(pids)) - before) / count);
    };
    try {
      for (const { url } of Object.values(servers)) await gantryRound(url, pictures.slice(0, 40));
      for (let n = 0; n < rounds; n++) for (const name of ['off', 'on'] as const) await round(name);
    } finally {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
      sink.close();
      await rm(folder, { recursive: true });
    }
    const [off, on] = [percentile(perImage.off, 0.5), percentile(perImage.on, 0.5)];
    const images = rounds * count + 40;
    return {
      title: `${count} pictures through gantry serve, ${rounds} rounds each, medians`,
      rows: [
        { figure: 'processor time of the server for an image, ms, traces off', value: rounded(off, 2) },
        { figure: 'processor time of the server for an image, ms, traces on', value: rounded(on, 2) },
        { figure: 'ratio', value: rounded(on / off, 2) },
        { figure: 'bytes exported for an image', value: Math.round(sink.bytes() / images) },
      ],
    };
  },
};
