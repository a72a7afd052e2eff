import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, fixture, json, type UploadJson, upload } from '../acceptance/target.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { seeded } from './seeded.ts';

const uploads = 300;
const kills = 20;
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

const random = seeded(seed);

const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').filter(Boolean).map(Number);
};

/** Every file below a folder, as paths. */
const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

test(`kill -9 ${kills} times during ${uploads} uploads: nothing accepted is lost or done twice`, async (t) => {
  t.diagnostic(`SEED=${seed}`);
  let server = await startGantry();
  const { dataDir } = server;
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  t.after(() => server.process.kill('SIGKILL'));
  /** Pending while the server is down. */
  let up: Promise<Gantry> = Promise.resolve(server);

  const killAndRestart = async (): Promise<void> => {
    const exited = once(server.process, 'exit');
    server.process.kill('SIGKILL');
    const restarted = Promise.withResolvers<Gantry>();
    up = restarted.promise;
    await exited;
    server = await startGantry({ dataDir });
    restarted.resolve(server);
  };
  const killWorker = async (): Promise<void> => {
    const workers = await childrenOf(server.process.pid ?? 0);
    const victim = workers[Math.floor(random() * workers.length)];
    if (victim !== undefined) process.kill(victim, 'SIGKILL');
  };

  const pictures = await Promise.all(
    ['dogs/golden_retriever.jpg', 'cats/chelsea.png', 'others/horse_crop.jpg'].map(fixture),
  );
  const accepted = new Map<string, number>();
  const uploadOne = async (n: number): Promise<void> => {
    const bytes = pictures[n % pictures.length] ?? Buffer.alloc(0);
    for (;;) {
      const { url } = await up;
      try {
        const response = await upload(url, [{ name: `${n}.jpg`, bytes }]);
        const body = await json<UploadJson>(response);
        assert.equal(response.status, 202, JSON.stringify(body));
        accepted.set(body.correlationId, n);
        return;
      } catch (error) {
        // The connection broke with the server; nobody was told 202, so it is sent again.
        if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
      }
    }
  };

  let next = 0;
  const clients = Array.from({ length: 4 }, async () => {
    while (next < uploads) await uploadOne(next++);
  });
  const faults = (async () => {
    for (let kill = 0; kill < kills; kill++) {
      const goal = Math.floor(((kill + random()) * uploads) / kills);
      while (accepted.size < Math.min(goal, uploads - 1)) await sleep(2);
      // A random moment within whatever the server is doing.
      await sleep(random() * 40);
      await (kill % 3 === 2 ? killWorker() : killAndRestart());
    }
  })();
  await Promise.all([...clients, faults]);
  assert.equal(accepted.size, uploads);

  const images = await Promise.all([...accepted.keys()].map((id) => ended(server.url, id)));
  const expected = ['dog', 'cat', 'other'];
  for (const image of images) {
    assert.equal(image.state, 'succeeded', JSON.stringify(image));
    assert.equal(image.result?.label, expected[(accepted.get(image.id) ?? 0) % 3]);
  }
  assert.equal(await server.stop(), 0);

  const database = new DatabaseSync(join(dataDir, 'gantry.db'), { readOnly: true });
  const results = database
    .prepare('select image_id as id, count(*) as n from results group by image_id')
    .all();
  const endings = database
    .prepare("select image_id as id, count(*) as n from events where type = 'succeeded' group by image_id")
    .all();
  const states = database
    .prepare('select state as name, count(*) as n from images group by 1 order by 1')
    .all();
  const counted = database
    .prepare(
      `select name, sum(n) as n from counts where kind = 'state' group by 1 having sum(n) <> 0 order by 1`,
    )
    .all();
  const outbox = database.prepare('select count(*) as n from outbox').get();
  database.close();
  const resultsOf = new Map(results.map(({ id, n }) => [String(id), Number(n)]));
  const endingsOf = new Map(endings.map(({ id, n }) => [String(id), Number(n)]));
  for (const id of accepted.keys()) {
    assert.equal(resultsOf.get(id), 1, `results of ${id}`);
    assert.equal(endingsOf.get(id), 1, `${id} succeeded once and for all`);
  }
  assert.equal(outbox?.n, 0);
  assert.deepEqual(counted, states, 'the summary counts what there is');

  const temporary = (await filesBelow(join(dataDir, 'images'))).filter((path) => path.includes('.tmp'));
  assert.deepEqual(temporary, []);
});
