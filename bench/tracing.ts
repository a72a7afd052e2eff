import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGantry } from '../test/start-gantry.ts';
import type { Benchmark } from './benchmark.ts';
import { classifier } from './contender.ts';
import { gantrySystem } from './gantry-contenders.ts';
import { forms, getThrough } from './load.ts';
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

const connections = 16;

export const tracing: Benchmark = {
  about: 'what traces cost the server: its own processor time for an image, without and with them',
  async run(quick) {
    const [count, rounds] = quick ? [60, 1] : [500, 3];
    const folder = await mkdtemp(join(tmpdir(), 'gantry-bench-'));
    const files = await makePictures(folder);
    const bodies = forms(await Promise.all(files.map((file) => readFile(file))));
    const sink = await startSink();
    const start = async (env: NodeJS.ProcessEnv) => {
      const server = await startGantry({ env: { GANTRY_LOG_LEVEL: 'info', ...env } });
      const system = await gantrySystem(server, server.stop);
      // Its own, its workers not counted.
      const pids = [server.process.pid ?? 0];
      return { pids, classify: classifier(system, bodies, connections), stop: () => system.stop() };
    };
    const servers = { off: await start({}), on: await start({ GANTRY_OTLP_URL: sink.url }) };
    const perImage: Record<keyof typeof servers, number[]> = { off: [], on: [] };
    const round = async (name: keyof typeof servers): Promise<void> => {
      const { pids, classify } = servers[name];
      const before = await processorMs(pids);
      await getThrough(count, connections, classify);
      perImage[name].push(((await processorMs(pids)) - before) / count);
    };
    try {
      for (const { classify } of Object.values(servers)) await getThrough(40, connections, classify);
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
