import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { type ApiKey, createKey } from './api-key.ts';
import { openKeyRing } from './key-ring.ts';

const made = (change: Partial<ApiKey> = {}): { key: string; entry: ApiKey } => {
  const { id, key, sha256 } = createKey();
  const rest = { scopes: ['read'], createdAt: '2026-01-01T00:00:00Z', expiresAt: null, rate: null } as const;
  return { key, entry: { id, name: id, sha256, ...rest, ...change } };
};
const textOf = (...keys: { entry: ApiKey }[]): string =>
  JSON.stringify({ version: 1, keys: keys.map(({ entry }) => entry) });

/** A ring that looks every few milliseconds, and its log. */
const open = async (t: TestContext, text: string) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-ring-'));
  const file = join(dir, 'keys.json');
  await writeFile(file, text);
  const lines: { level: number; msg: string }[] = [];
  const written = new EventEmitter();
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      written.emit('line');
      done();
    },
  });
  const ring = await openKeyRing(file, pino({}, sink), 5);
  t.after(async () => {
    await ring.stop();
    await rm(dir, { recursive: true });
  });
  const logged = async (msg: RegExp) => {
    for (;;) {
      const line = lines.find((one) => msg.test(one.msg));
      if (line !== undefined) return line;
      await once(written, 'line');
    }
  };
  return { ring, dir, file, lines, logged };
};

test('a key is known by all of it', async (t) => {
  const [own, other, old] = [made(), made(), made({ expiresAt: '2026-01-01T00:00:00Z' })];
  const { ring } = await open(t, textOf(own, old));
  assert.deepEqual(ring.verify(own.key), { kind: 'known', key: own.entry });
  const id = own.entry.id;
  const mixed = `gantry_${id}_${other.key.slice(-43)}`;
  assert.deepEqual(ring.verify(mixed), { kind: 'refused', why: 'wrong-secret', id });
  assert.deepEqual(ring.verify(other.key), { kind: 'refused', why: 'unknown', id: other.entry.id });
  assert.deepEqual(ring.verify(old.key), { kind: 'refused', why: 'expired', id: old.entry.id });
  for (const text of ['', 'x', own.key.slice(1), own.entry.sha256])
    assert.deepEqual(ring.verify(text), { kind: 'refused', why: 'malformed' });
});

test('a key expires while the ring is open', async (t) => {
  const soon = made({ expiresAt: new Date(Date.now() + 60_000).toISOString() });
  const { ring } = await open(t, textOf(soon));
  assert.equal(ring.verify(soon.key).kind, 'known');
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_001 });
  assert.equal(ring.verify(soon.key).kind, 'refused');
  assert.equal(ring.current(soon.entry), undefined);
});

test('a changed file holds without a restart: keys come, change and go', async (t) => {
  const [a, b] = [made(), made()];
  const { ring, file, logged } = await open(t, textOf(a));
  const changed = { entry: { ...b.entry, scopes: ['upload'] as const } };
  await writeFile(`${file}.x`, textOf(changed));
  await rename(`${file}.x`, file);
  await logged(/read again/);
  assert.equal(ring.verify(a.key).kind, 'refused');
  assert.equal(ring.current(a.entry), undefined);
  assert.deepEqual(ring.current(b.entry)?.scopes, ['upload']);
  assert.equal(ring.count(), 1);
});

test('a Secret that is swapped behind symbolic links is noticed, as Kubernetes does it', async (t) => {
  const [a, b] = [made(), made()];
  const { ring, dir, file, logged } = await open(t, textOf(a));
  // What the folder of a mounted Secret looks like: keys.json -> ..data/keys.json, ..data -> ..1
  await mkdir(join(dir, '..1x'));
  await writeFile(join(dir, '..1x', 'keys.json'), textOf(a));
  await symlink('..1x', join(dir, '..data'));
  await symlink(join('..data', 'keys.json'), `${file}.link`);
  await rename(`${file}.link`, file);
  await mkdir(join(dir, '..2x'));
  await writeFile(join(dir, '..2x', 'keys.json'), textOf(b));
  await symlink('..2x', join(dir, '..data_tmp'));
  await rename(join(dir, '..data_tmp'), join(dir, '..data'));
  await logged(/read again/);
  assert.equal(ring.verify(b.key).kind, 'known');
  assert.equal(ring.verify(a.key).kind, 'refused');
});

test('a file that breaks, or goes, changes nothing and is logged; it is taken up again once it is whole', async (t) => {
  const [a, b] = [made(), made()];
  const { ring, file, lines, logged } = await open(t, textOf(a));
  await writeFile(file, '{"version": 1, "keys": [');
  assert.equal(ring.usable(), true);
  assert.equal((await logged(/reading the API keys failed/)).level, 50);
  assert.equal(ring.usable(), false);
  assert.equal(ring.verify(a.key).kind, 'known');
  await rm(file);
  await writeFile(file, textOf(a, b));
  await logged(/works again/);
  assert.equal(ring.usable(), true);
  assert.equal(ring.verify(b.key).kind, 'known');
  assert.equal(lines.filter(({ level }) => level === 50).length, 1);
});

test('a file that is unusable to begin with is refused', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-ring-'));
  t.after(() => rm(dir, { recursive: true }));
  const log = pino({ level: 'silent' });
  await assert.rejects(openKeyRing(join(dir, 'none'), log), { code: 'key-file-missing' });
  await writeFile(join(dir, 'broken'), 'x');
  await assert.rejects(openKeyRing(join(dir, 'broken'), log), { code: 'key-file-invalid' });
});
