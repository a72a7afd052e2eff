import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { accepted, ended } from '../acceptance/target.ts';
import { startGantry } from '../start-gantry.ts';
import { gantry } from './run-gantry.ts';

const below = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('.tmp'))
    .map(({ parentPath, name }) => join(parentPath, name));

test('audit beside a running server, after a loss, and reindex after a lost database', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-audit-cli-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const env = { GANTRY_WORKERS: '1' };
  const first = await startGantry({ dataDir, env });
  const ids = [
    await accepted(first.url, 'cats/chelsea.png'),
    await accepted(first.url, 'dogs/golden_retriever.jpg'),
  ];
  for (const id of ids) await ended(first.url, id);
  const sound = await gantry(['audit', '--data-dir', dataDir]);
  assert.equal(sound.code, 0, sound.err);
  assert.match(sound.out, /accepted +2 /);
  assert.match(sound.out, /unaccounted +\? +not checked/);
  assert.match(sound.out, /Nothing is lost\./);
  assert.equal(await first.stop(), 0);

  const [original = ''] = await below(join(dataDir, 'images'));
  await rm(original);
  const lossy = await gantry(['audit', '--json', '--data-dir', dataDir]);
  assert.equal(lossy.code, 1);
  const report = JSON.parse(lossy.out) as { ok: boolean; missingOriginals: { id: string }[] };
  assert.equal(report.ok, false);
  assert.equal(report.missingOriginals.length, 1);

  for (const name of await readdir(dataDir)) if (name.startsWith('gantry.db')) await rm(join(dataDir, name));
  const none = await gantry(['audit', '--data-dir', dataDir]);
  assert.equal(none.code, 1);
  assert.match(none.err, /there is no database/);
  const rebuilt = await gantry(['reindex', '--data-dir', dataDir]);
  assert.equal(rebuilt.code, 0, rebuilt.err);
  assert.match(rebuilt.out, /Restored: 1, queued/);
  const second = await startGantry({ dataDir, env });
  const left = ids.find((id) => !original.includes(id)) ?? '';
  assert.equal((await ended(second.url, left)).state, 'succeeded');
  assert.equal(await second.stop(), 0);
});
