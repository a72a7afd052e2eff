import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fastify } from 'fastify';
import { problems } from '../plugins/problems.ts';
import { pageRoutes } from './page.ts';

test('a page that is built, or built anew, while the server runs is served as it is then', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-page-'));
  t.after(() => rm(folder, { recursive: true }));
  const built = join(folder, 'dist');
  const build = async (name: string) => {
    await mkdir(join(built, 'assets'), { recursive: true });
    await writeFile(join(built, 'assets', name), name);
    await writeFile(join(built, 'index.html'), `<script src="./assets/${name}"></script>`);
  };
  const app = fastify();
  problems(app);
  await pageRoutes(app, built);
  const isMissing = async () => {
    const answer = await app.inject('/');
    assert.deepEqual([answer.statusCode, answer.json().code], [503, 'page-not-built']);
  };
  await isMissing();
  for (const [name, other] of [
    ['index-1.js', 'index-2.js'],
    ['index-2.js', 'index-1.js'],
  ] as const) {
    await build(name);
    for (const url of ['/', '/index.html', '/?view=dead']) {
      const { statusCode, headers, body } = await app.inject(url);
      assert.deepEqual([statusCode, headers['cache-control']], [200, 'no-cache']);
      assert.equal(headers['content-type'], 'text/html; charset=utf-8');
      assert.ok(body.includes(name));
    }
    const script = await app.inject(`/assets/${name}`);
    assert.deepEqual([script.statusCode, script.body], [200, name]);
    assert.match(String(script.headers['cache-control']), /immutable/);
    const gone = await app.inject(`/assets/${other}`);
    assert.deepEqual([gone.statusCode, gone.headers['cache-control']], [404, 'no-store']);
    assert.equal((await app.inject('/assets/..%2findex.html')).statusCode, 404);
    await rm(built, { recursive: true });
    await isMissing();
  }
});
