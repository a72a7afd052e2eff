import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ImageJson, json } from '../acceptance/target.ts';
import { gantry } from './run-gantry.ts';

export const runCanary = (url: string, ...args: string[]) => gantry(['canary', '--url', url, ...args]);

/** The path of a fixture. */
export const fixturePath = (path: string): string =>
  fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));

/** What a server has. */
export const images = async (url: string): Promise<ImageJson[]> =>
  (await json<{ images: ImageJson[] }>(await fetch(`${url}/images`))).images;

/** A server of one's own for the length of a test, such as an ingress that forbids something; returns its address. */
export const listen = async (t: TestContext, listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** Not right: one line on stderr, which says why, and exit code 1. */
export const wrong = async (ran: ReturnType<typeof gantry>, line: RegExp): Promise<void> => {
  const { out, err, code } = await ran;
  assert.match(err, line);
  assert.equal(err.trimEnd().split('\n').length, 1, err);
  assert.deepEqual([out, code], ['', 1]);
};
