import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { byPart, readProfile } from '../../bench/cpu-profile.ts';
import { flameGraph } from '../../bench/flame-graph.ts';

const root = new URL('../..', import.meta.url).href;
const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  ...{ id, children },
  callFrame: { functionName, url, lineNumber: 1, columnNumber: 1, scriptId: '1' },
});

test('a profile becomes a tree of shares of the time at its end, and a picture of it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-flame-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'one.cpuprofile');
  const profile = {
    nodes: [
      node(1, '(root)', '', [2, 5, 6, 7]),
      node(2, 'put', `${root}src/blobs/file.ts`, [3, 4]),
      node(3, '<T>', 'node:fs'),
      node(4, 'open', ''),
      node(5, '(idle)', ''),
      node(6, 'parse', `${root}node_modules/@a/b/index.js`),
      // The same function again, as V8 writes what it compiled anew.
      node(7, 'put', `${root}src/blobs/file.ts`),
    ],
    // The first is from before the time that counts.
    samples: [6, 2, 3, 4, 5, 6, 7],
    timeDeltas: [9000, 1000, 2000, 3000, 50_000, 2000, 2000],
  };
  await writeFile(file, JSON.stringify(profile));
  const all = await readProfile(file, 60);
  assert.equal(all.totalMs, 10);
  const [put, parse] = all.children;
  assert.deepEqual(
    [put?.name, put?.selfMs, put?.totalMs, put?.children.map(({ name, totalMs }) => [name, totalMs])],
    [
      'put src/blobs/file.ts',
      3,
      8,
      [
        ['open', 3],
        ['<T> node:fs', 2],
      ],
    ],
  );
  assert.deepEqual([parse?.name, parse?.totalMs], ['parse @a/b', 2]);
  assert.deepEqual(byPart(all), [
    ['src/blobs', 6],
    ['node', 2],
    ['@a/b', 2],
    ['all', 0],
  ]);
  const svg = flameGraph(all, 'A & B');
  assert.match(svg, /<title>put src\/blobs\/file\.ts: 80\.0 %<\/title><rect x="10" y="72" width="943\.5"/);
  assert.match(svg, /A &amp; B/);
  assert.match(svg, /&lt;T&gt; node:fs: 20\.0 %/);
  assert.doesNotMatch(svg, /file:/);
});
