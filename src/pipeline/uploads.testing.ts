import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { keysOf } from '../blobs/blobs.contract.ts';
import type { Blobs } from '../blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { append } from './append.ts';
import { createFinish } from './finish.ts';
import { emptyInstallation } from './installation.testing.ts';
import { createSubmit } from './submit.ts';

export const cat = await readFile(new URL('../../test/fixtures/cats/chelsea.png', import.meta.url));
export const log = pino({ level: 'silent' });
export const day = 86_400_000;

/** A server's life on these parts; `accepted` and `refused` are what it has told of. */
export const serverOn = (store: Store, blobs: Blobs) => {
  const told = { accepted: [] as string[], refused: [] as string[] };
  const submit = createSubmit(
    store,
    async () => true,
    () => undefined,
  );
  const finish = createFinish({
    ...{ store, blobs, submit, log, maxFileBytes: 1e6, pipeline: 'pets' },
    onAccepted: ({ id }) => told.accepted.push(id),
    onRefused: (code) => told.refused.push(code),
  });
  return { finish, told };
};

/** An empty installation, and what clients do to its uploads. */
export const uploading = async (t: TestContext) => {
  const { store, blobs } = await emptyInstallation(t);
  const name = await store.installation();
  const begun = async (bytes: number, expiresAt = new Date(Date.now() + day)): Promise<string> => {
    const id = randomUUID();
    await store.createUpload({ id, filename: 'a.png', bytes, expiresAt: expiresAt.toISOString() });
    return id;
  };
  const appending = { store, blobs, installation: name, keepMs: day };
  const add = async (id: string, ...chunks: Uint8Array[]) => {
    const upload = (await store.upload(id)) ?? assert.fail('no upload');
    const context = { ...appending, onPart: () => undefined };
    const source = async function* () {
      yield* chunks;
    };
    return append(context, upload, source());
  };
  /** An upload with all its bytes, in two parts. */
  const complete = async (bytes: Uint8Array = cat): Promise<string> => {
    const id = await begun(bytes.length);
    await add(id, bytes.subarray(0, 9));
    assert.deepEqual(await add(id, bytes.subarray(9)), { kind: 'appended', received: bytes.length });
    return id;
  };
  const keys = () => keysOf(blobs);
  const images = async () => (await store.images({ limit: 100 })).images;
  return { store, blobs, name, appending, begun, add, complete, keys, images };
};
