import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Outcome } from '../pipeline/message.ts';
import { accepted, dead, succeeded } from '../store/contract/samples.ts';
import type { JobKey } from '../store/store.ts';
import { madeKey, openWeb } from './web.testing.ts';

const admin = madeKey(['admin']);
const address = '198.51.100.7';

/** A server with one image that ended as `end` says, a way to change things from far away, and the audit log. */
const withImage = async (t: TestContext, end: (job: JobKey) => Outcome, keys: boolean) => {
  const environment = { GANTRY_TRUSTED_PROXIES: '127.0.0.0/8' };
  const { app, store, lines } = await openWeb(t, { ...(keys ? { keys: [admin.entry] } : {}), environment });
  const job = await accepted(store);
  await store.record([end(job)]);
  const headers = { authorization: `Bearer ${admin.key}`, 'x-forwarded-for': address };
  const change = async (method: 'POST' | 'DELETE', url: string): Promise<number> =>
    (await app.inject({ method, url, headers })).statusCode;
  const audit = () =>
    lines
      .filter(({ audit }) => audit === true)
      .map(({ level, action, imageId, images, keyId, address }) => ({
        ...{ level, action, keyId, address },
        ...(imageId === undefined ? { images } : { imageId }),
      }));
  return { id: job.id, change, audit };
};
const line = { level: 30, keyId: admin.entry.id, address };

test('each change by hand is one line of the audit log, with the key and the address', async (t) => {
  const { id, change, audit } = await withImage(t, succeeded, true);
  assert.equal(await change('POST', `/images/${id}/reprocess`), 202);
  assert.equal(await change('DELETE', `/images/${id}`), 204);
  assert.deepEqual(audit(), [
    { ...line, action: 'reprocess', imageId: id },
    { ...line, action: 'delete', imageId: id },
  ]);
});

test('dead letters are replayed, all of them replayed, and discarded', async (t) => {
  const one = await withImage(t, dead, true);
  assert.equal(await one.change('POST', `/dead-letters/${one.id}/replay`), 202);
  assert.equal(await one.change('POST', '/dead-letters/replay'), 202);
  assert.deepEqual(one.audit(), [
    { ...line, action: 'replay', imageId: one.id },
    { ...line, action: 'replay', images: 0 },
  ]);
  const other = await withImage(t, dead, true);
  assert.equal(await other.change('POST', '/dead-letters/replay'), 202);
  assert.deepEqual(other.audit(), [{ ...line, action: 'replay', images: 1 }]);
  const last = await withImage(t, dead, true);
  assert.equal(await last.change('DELETE', `/images/${last.id}`), 204);
  assert.deepEqual(last.audit(), [{ ...line, action: 'discard', imageId: last.id }]);
});

test('what did not happen has no line', async (t) => {
  const { id, change, audit } = await withImage(t, succeeded, true);
  assert.equal(await change('POST', `/dead-letters/${id}/replay`), 409);
  assert.equal(await change('DELETE', '/images/019b0000-0000-7000-8000-000000000000'), 404);
  assert.deepEqual(audit(), []);
});

test('without keys the address is all there is', async (t) => {
  const { id, change, audit } = await withImage(t, succeeded, false);
  assert.equal(await change('DELETE', `/images/${id}`), 204);
  assert.deepEqual(audit(), [{ level: 30, keyId: undefined, address, action: 'delete', imageId: id }]);
});
