import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { allows, createKey, idOf, isExpired, scopes } from './api-key.ts';

test('a new key has the documented shape, a secret of 256 bits, and its own digest', () => {
  const { id, key, sha256 } = createKey();
  const [, inKey, secret] = /^gantry_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/.exec(key) ?? assert.fail(key);
  assert.equal(inKey, id);
  assert.equal(Buffer.from(secret ?? '', 'base64url').length, 32);
  assert.equal(sha256, createHash('sha256').update(key).digest('hex'));
  const many = Array.from({ length: 100 }, createKey);
  assert.equal(new Set(many.map((one) => one.id)).size, 100);
  assert.equal(new Set(many.map((one) => one.key)).size, 100);
});

test('only what has the shape of a key has an ID', () => {
  const { id, key } = createKey();
  assert.equal(idOf(key), id);
  for (const text of ['', 'gantry', `${key}x`, key.slice(0, -1), ` ${key}`, key.toUpperCase(), `${key}\n`])
    assert.equal(idOf(text), undefined, JSON.stringify(text));
});

test('admin may do everything, the others only what they say', () => {
  const allowed = (own: (typeof scopes)[number]) =>
    scopes.filter((scope) => allows({ scopes: [own] }, scope));
  assert.deepEqual(allowed('upload'), ['upload']);
  assert.deepEqual(allowed('read'), ['read']);
  assert.deepEqual(allowed('admin'), ['upload', 'read', 'admin']);
});

test('a key expires at the moment it names', () => {
  const expiresAt = '2026-01-01T00:00:00Z';
  const at = Date.parse(expiresAt);
  assert.equal(isExpired({ expiresAt }, at - 1), false);
  assert.equal(isExpired({ expiresAt }, at), true);
  assert.equal(isExpired({ expiresAt: null }, Number.MAX_SAFE_INTEGER), false);
});
