import assert from 'node:assert/strict';
import { once } from 'node:events';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokenConnections, cutSecondPiece, noise, uploadPage } from './upload-page.ts';

const pieceBytes = 8 * 2 ** 20;
const up = uploadPage();

/** A picture that goes in two pieces, in a file of this name. */
const large = async (name: string): Promise<string> => {
  const path = join(up.folder, name);
  await writeFile(path, await noise(2000));
  return path;
};
const stalled = (name: string) => up.row(name).getByText('Connection lost, trying again').waitFor();
/** Begins an upload that stands still after its first piece. */
const beginAndBreak = async (path: string, name: string): Promise<void> => {
  const cut = cutSecondPiece(up.proxy);
  await up.choose(path);
  assert.equal(await cut, true);
  await stalled(name);
};
/** Reloads the page without giving up on the server what it was about to send. */
const reload = async (): Promise<void> => {
  await up.page.route('**/uploads/**', (route) => route.abort());
  up.proxy.refuse(false);
  await up.page.reload();
  await up.page.unroute('**/uploads/**');
  await up.page.getByText('Live', { exact: true }).waitFor();
  up.requests.length = 0;
};

test('a large file goes on by itself after its connection was cut, where it stood', async () => {
  await beginAndBreak(await large('large.png'), 'large.png');
  up.proxy.refuse(false);
  await up.accepted('large.png');
  const pieces = up.requests.filter((request) => request.startsWith('PATCH'));
  assert.equal(pieces.filter((piece) => piece === 'PATCH 0').length, 1, up.requests.join());
  assert.ok(pieces.filter((piece) => piece === `PATCH ${pieceBytes}`).length >= 2, up.requests.join());
  assert.equal(await up.page.evaluate('localStorage.length'), 0);
  up.forgive(brokenConnections);
  await up.nobodyHolds();
});

test('a large file that is chosen again after a reload goes on where it stood', async () => {
  const path = await large('reloaded.png');
  await beginAndBreak(path, 'reloaded.png');
  await reload();
  await up.choose(path);
  await up.accepted('reloaded.png');
  assert.deepEqual(up.requests, ['HEAD', `PATCH ${pieceBytes}`]);
  up.forgive(brokenConnections);
});

test('another large file of the same name, size and time is not taken for the one that was begun', async () => {
  const path = await large('twin.png');
  await utimes(path, 1, 1);
  await beginAndBreak(path, 'twin.png');
  await reload();
  await large('twin.png');
  await utimes(path, 1, 1);
  await up.choose(path);
  await up.accepted('twin.png');
  assert.deepEqual(up.requests, ['POST', 'PATCH 0', `PATCH ${pieceBytes}`]);
  up.forgive(brokenConnections);
});

test('the same large file twice at once is two uploads: what befalls one does not concern the other', async () => {
  const path = await large('twice.png');
  await beginAndBreak(path, 'twice.png');
  await up.choose(path);
  await up.uploads().getByText('Connection lost, trying again').nth(1).waitFor();
  up.proxy.refuse(false);
  const given = up.page.waitForResponse((response) => response.request().method() === 'DELETE');
  await up.row('twice.png').first().getByRole('button', { name: 'Cancel: twice.png' }).click();
  assert.equal((await given).status(), 204);
  await up.accepted('twice.png');
  assert.equal(up.requests.filter((request) => request === 'PATCH 0').length, 2, up.requests.join());
  assert.equal(await up.named('twice.png'), 1);
  up.forgive(brokenConnections);
});

test('a large file survives that the server is killed and comes back', async () => {
  await beginAndBreak(await large('survivor.png'), 'survivor.png');
  const exited = once(up.gantry.process, 'exit');
  up.gantry.process.kill('SIGKILL');
  await exited;
  await up.restart();
  up.proxy.refuse(false);
  await up.accepted('survivor.png');
  assert.equal(up.requests.filter((request) => request === 'PATCH 0').length, 1, up.requests.join());
  assert.equal(await up.named('survivor.png'), 1);
  up.forgive(brokenConnections);
});

test('a large file that is no picture is refused with the reason of the server, by its first bytes', async () => {
  const film = join(up.folder, 'film.png');
  await writeFile(film, Buffer.concat([Buffer.from('000000206674797069736f6d', 'hex'), Buffer.alloc(20e6)]));
  await up.choose(film);
  await up
    .row('film.png')
    .getByText(/the file is no JPEG.*video\/mp4/)
    .waitFor();
  assert.deepEqual(up.requests, ['POST', 'PATCH 0']);
  await up.row('film.png').getByRole('button', { name: 'Dismiss: film.png' }).click();
  await up.row('film.png').waitFor({ state: 'detached' });
  up.forgive(/status of 415/);
});

test('an upload that is cancelled is given up, on the server too', async () => {
  await beginAndBreak(await large('cancelled.png'), 'cancelled.png');
  up.proxy.refuse(false);
  const given = up.page.waitForResponse((response) => response.request().method() === 'DELETE');
  await up.row('cancelled.png').getByRole('button', { name: 'Cancel: cancelled.png' }).click();
  assert.equal((await given).status(), 204);
  await up.uploads().waitFor({ state: 'hidden' });
  assert.equal(await up.named('cancelled.png'), 0);
  up.forgive(brokenConnections);
  await up.nobodyHolds();
});

test('what opens a page first is small: the client of the protocol comes with the first large file', async () => {
  const scripts = new Set<string>();
  up.page.on('response', (response) => {
    if (response.url().endsWith('.js')) scripts.add(new URL(response.url()).pathname.split('/').at(-1) ?? '');
  });
  await up.page.reload();
  await up.page.getByText('Live', { exact: true }).waitFor();
  assert.equal(scripts.size, 1, [...scripts].join());
  await up.choose(await large('first.png'));
  await up.accepted('first.png');
  assert.equal(scripts.size, 2, [...scripts].join());
});
