import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { newImage } from './contract/samples.ts';
import { newFile } from './sqlite.testing.ts';
import { openSqliteStore } from './sqlite.ts';

// No test can cut the power. So these watch the real syncs, hold them up, and let them fail.

type Sync = typeof fs.fdatasync;

const instead = (t: TestContext, sync: (real: Sync, ...args: Parameters<Sync>) => void): void => {
  const real = fs.fdatasync;
  t.mock.method(fs, 'fdatasync', (...args: Parameters<Sync>) => sync(real, ...args));
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
};

const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await turn();
};

const one = () => [{ images: [newImage()] }];

describe('the log of SQLite', () => {
  test('a call resolves once what it wrote or saw is synced; those that come meanwhile share the next sync', async (t) => {
    const store = await openSqliteStore(newFile());
    const held: (() => void)[] = [];
    instead(t, (real, file, done) => held.push(() => real(file, done)));
    const ended: string[] = [];
    const call = (name: string, work: Promise<unknown>) => work.then(() => ended.push(name));
    const first = call('first', store.accept(one(), 0));
    await turns();
    const rest = [
      call('second', store.accept(one(), 0)),
      call('third', store.accept(one(), 0)),
      call('read', store.lastEvent()),
    ];
    await turns();
    assert.deepEqual([ended, held.length], [[], 1]);
    held[0]?.();
    await first;
    await turns();
    assert.deepEqual([ended, held.length], [['first'], 2]);
    held[1]?.();
    await Promise.all(rest);
    await store.lastEvent();
    assert.equal(held.length, 2, 'nothing was written since');
    await store.close();
  });

  test('after a sync that failed nothing is promised any more until the file is opened anew', async (t) => {
    const file = newFile();
    const store = await openSqliteStore(file);
    let fails = true;
    instead(t, (real, fd, done) => {
      if (!fails) return real(fd, done);
      fails = false;
      done(Object.assign(new Error('i/o error'), { code: 'EIO' }));
    });
    const refused = { name: 'Error', code: 'failed', message: /\.db-wal: i\/o error/ };
    await assert.rejects(store.accept(one(), 0), refused);
    await assert.rejects(store.accept(one(), 0), refused);
    await assert.rejects(store.ping(), refused);
    await assert.rejects(store.close(), refused);
    const again = await openSqliteStore(file);
    await again.accept(one(), 0);
    await again.close();
  });
});
