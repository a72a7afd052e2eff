import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { startProxy, type TcpProxy } from '../services/tcp-proxy.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
import { openWatchedPage } from './watched-page.ts';

/** Tiny, so that what is measured is the upload. */
const model = fileURLToPath(new URL('../fixtures/models/colours', import.meta.url));
const pieceBytes = 8 * 2 ** 20 - 65_536;
const secondPiece = new RegExp(`upload-offset: ${pieceBytes}\\r`, 'i');

let folder: string;
let large: string;
let gantry: Gantry;
let proxy: TcpProxy;
let url: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];
/** `METHOD offset` of every request to /uploads. */
let requests: string[];

const start = (args: readonly string[] = []): Promise<Gantry> =>
  startGantry({ dataDir: join(folder, 'data'), args, env: { GANTRY_MODEL: model, GANTRY_WORKERS: '1' } });
const noise = (side: number): Promise<Buffer> =>
  sharp(randomBytes(side * side * 3), { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();

const uploads = () => page.getByRole('region', { name: 'Uploads' });
const row = (name: string) => uploads().getByRole('listitem').filter({ hasText: name });
const choose = (files: Parameters<ReturnType<Page['locator']>['setInputFiles']>[0]) =>
  page.locator('input[type=file]').setInputFiles(files);
const named = async (name: string): Promise<number> => {
  const answer = await fetch(`${gantry.url}/images?limit=500&text=${encodeURIComponent(name)}`);
  return ((await answer.json()) as { images: unknown[] }).images.length;
};
const accepted = (name: string) => page.locator('[data-image]').filter({ hasText: name }).first().waitFor();

/** What a page meets while its connections are cut: that is what is tested. */
const forgetBrokenConnections = (): void => {
  faults = faults.filter((fault) => !/net::ERR_|status of 503/.test(fault));
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-upload-page-'));
  await mkdir(join(folder, 'data'));
  large = join(folder, 'large.png');
  await writeFile(large, await noise(2000));
  gantry = await start();
  proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(gantry.url).port) });
  url = `http://localhost:${proxy.port}`;
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await proxy?.close();
  await gantry?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  context = await browser.newContext({ locale: 'en-GB' });
  await context.addInitScript(`
    globalThis.objectUrls = new Set();
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (blob) => {
      const url = createObjectURL(blob);
      objectUrls.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      objectUrls.delete(url);
      revokeObjectURL(url);
    };
  `);
  ({ page, faults } = await openWatchedPage(context, url));
  // The machine may have much else to do.
  page.setDefaultTimeout(60_000);
  requests = [];
  page.on('request', (request) => {
    if (!new URL(request.url()).pathname.startsWith('/uploads')) return;
    requests.push(`${request.method()} ${request.headers()['upload-offset'] ?? ''}`.trim());
  });
  page.on('dialog', (dialog) => dialog.accept());
  await page.getByText('Live', { exact: true }).waitFor();
});
afterEach(async () => {
  proxy.disarm();
  proxy.refuse(false);
  await context.close();
  assert.deepEqual(faults, []);
});

/**
 * The network goes away with the second piece of a large file: no connection survives, none is made. (A browser mends a
 * single one that breaks by itself.) Resolves when that has happened.
 */
const cutSecondPiece = (): Promise<boolean> =>
  proxy.cutBefore('toServer', (bytes) => {
    if (!secondPiece.test(bytes.toString('latin1'))) return false;
    proxy.refuse(true);
    setImmediate(proxy.cut);
    return true;
  });
const stalled = (name: string) => row(name).getByText('Connection lost, trying again').waitFor();

/** Drops files or folders of the disk onto the page, as a file manager does. */
const drop = async (...files: string[]): Promise<void> => {
  const cdp = await context.newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await cdp.send('Input.dispatchDragEvent', { type, x: 200, y: 300, data });
  await cdp.detach();
};
const nobodyHolds = async (): Promise<void> => {
  await page.evaluate(
    '(async () => { while (objectUrls.size > 0) await new Promise(requestAnimationFrame); })()',
  );
};

const folderOf = async (name: string, count: number): Promise<string> => {
  const path = join(folder, name);
  await mkdir(join(path, 'deeper', '.hidden'), { recursive: true });
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  for (let n = 0; n < count; n++)
    await writeFile(join(path, n % 2 ? 'deeper' : '', `${name}-${n}.png`), picture);
  await writeFile(join(path, '.DS_Store'), 'no picture');
  await writeFile(join(path, 'deeper', 'Thumbs.db'), 'no picture');
  await writeFile(join(path, 'deeper', '.hidden', `${name}-hidden.png`), picture);
  return path;
};

test('a folder that is dropped: every picture in it, at any depth, with previews and one bar for all', async () => {
  const count = 250;
  const dropped = await folderOf('dropped', count);
  await page.evaluate(`
    globalThis.most = { rows: 0, urls: 0 };
    new MutationObserver(() => {
      most.rows = Math.max(most.rows, document.querySelectorAll('.upload-row').length);
      most.urls = Math.max(most.urls, objectUrls.size);
    }).observe(document.body, { childList: true, subtree: true });
  `);
  const bar = uploads().getByRole('progressbar', { name: 'All uploads' });
  const seen = Promise.all([bar.waitFor(), uploads().locator('.upload-preview img').first().waitFor()]);
  await drop(dropped);
  await seen;
  await uploads().getByText(`of ${count} files`).waitFor();
  await bar.waitFor({ state: 'detached' });
  await uploads().waitFor({ state: 'hidden' });
  assert.equal(await named('dropped-'), count);
  assert.equal(await named('hidden'), 0);
  const most = (await page.evaluate('most')) as { rows: number; urls: number };
  assert.ok(most.urls > 0 && most.urls <= most.rows, JSON.stringify(most));
  // However many there are, the list stays short; accepted ones are shown for some seconds.
  assert.ok(most.rows < count, JSON.stringify(most));
  await nobodyHolds();
});

test('a folder that is chosen with the button', async () => {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Choose a folder' }).click(),
  ]);
  await chooser.setFiles(await folderOf('chosen', 5));
  await accepted('chosen-4');
  await uploads().waitFor({ state: 'hidden' });
  assert.equal(await named('chosen-'), 5);
});

test('files that are dropped, without any folder', async () => {
  const path = await folderOf('loose', 2);
  await drop(join(path, 'loose-0.png'), join(path, 'deeper', 'loose-1.png'));
  await accepted('loose-0');
  await accepted('loose-1');
});

test('a picture that is pasted', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(`(async () => {
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext('2d').fillRect(0, 0, 8, 8);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
  })()`);
  await page.keyboard.press('Control+V');
  await accepted('image.png');
});

test('on a phone there is a button for its camera, and none for folders', async () => {
  const phone = await browser.newContext({ hasTouch: true, isMobile: true, locale: 'en-GB' });
  try {
    const own = await phone.newPage();
    await own.goto(url);
    const [chooser] = await Promise.all([
      own.waitForEvent('filechooser'),
      own.getByRole('button', { name: 'Take a photo' }).click(),
    ]);
    assert.equal(await chooser.element().getAttribute('capture'), 'environment');
    assert.equal(await own.getByRole('button', { name: 'Choose a folder' }).isVisible(), false);
    await chooser.setFiles({ name: 'photo.png', mimeType: 'image/png', buffer: await noise(8) });
    await own.locator('[data-image]').filter({ hasText: 'photo.png' }).waitFor();
  } finally {
    await phone.close();
  }
});

test('a large file goes on by itself after its connection was cut, where it stood', async () => {
  const cut = cutSecondPiece();
  await choose(large);
  assert.equal(await cut, true);
  await stalled('large.png');
  proxy.refuse(false);
  await accepted('large.png');
  const pieces = requests.filter((request) => request.startsWith('PATCH'));
  assert.equal(pieces.filter((piece) => piece === 'PATCH 0').length, 1, requests.join());
  assert.ok(pieces.filter((piece) => piece === `PATCH ${pieceBytes}`).length >= 2, requests.join());
  assert.equal(await page.evaluate('localStorage.length'), 0);
  forgetBrokenConnections();
  await nobodyHolds();
});

test('a large file that is chosen again after a reload goes on where it stood', async () => {
  await writeFile(join(folder, 'reloaded.png'), await noise(2000));
  const cut = cutSecondPiece();
  await choose(join(folder, 'reloaded.png'));
  await cut;
  await stalled('reloaded.png');
  await page.route('**/uploads/**', (route) => route.abort());
  proxy.refuse(false);
  await page.reload();
  await page.unroute('**/uploads/**');
  await page.getByText('Live', { exact: true }).waitFor();
  requests.length = 0;
  await choose(join(folder, 'reloaded.png'));
  await accepted('reloaded.png');
  assert.deepEqual(requests, ['HEAD', `PATCH ${pieceBytes}`]);
  forgetBrokenConnections();
});

test('a large file survives that the server is killed and comes back', async () => {
  await writeFile(join(folder, 'survivor.png'), await noise(2000));
  const cut = cutSecondPiece();
  await choose(join(folder, 'survivor.png'));
  await cut;
  await stalled('survivor.png');
  const exited = once(gantry.process, 'exit');
  gantry.process.kill('SIGKILL');
  await exited;
  gantry = await start(['--port', new URL(gantry.url).port]);
  proxy.refuse(false);
  await accepted('survivor.png');
  assert.equal(requests.filter((request) => request === 'PATCH 0').length, 1, requests.join());
  assert.equal(await named('survivor.png'), 1);
  forgetBrokenConnections();
});

test('a small file whose connection was cut is sent again by itself, and stored once', async () => {
  // The server has it all; its answer never arrives.
  const cut = proxy.cutBefore('toClient', (bytes) => bytes.includes('HTTP/1.1 202'));
  await choose({ name: 'unanswered.png', mimeType: 'image/png', buffer: await noise(8) });
  await cut;
  await accepted('unanswered.png');
  await uploads().waitFor({ state: 'hidden' });
  assert.equal(await named('unanswered.png'), 1);
  forgetBrokenConnections();
});

test('a large file that is no picture is refused with the reason of the server, by its first bytes', async () => {
  const film = join(folder, 'film.png');
  await writeFile(film, Buffer.concat([Buffer.from('000000206674797069736f6d', 'hex'), Buffer.alloc(20e6)]));
  await choose(film);
  await row('film.png')
    .getByText(/the file is no JPEG.*video\/mp4/)
    .waitFor();
  assert.deepEqual(requests, ['POST', 'PATCH 0']);
  await row('film.png').getByRole('button', { name: 'Dismiss: film.png' }).click();
  await row('film.png').waitFor({ state: 'detached' });
  faults = faults.filter((fault) => !fault.includes('status of 415'));
});

test('an upload that is cancelled is given up, on the server too', async () => {
  await writeFile(join(folder, 'cancelled.png'), await noise(2000));
  const cut = cutSecondPiece();
  await choose([join(folder, 'cancelled.png')]);
  await cut;
  await stalled('cancelled.png');
  proxy.refuse(false);
  const given = page.waitForResponse((response) => response.request().method() === 'DELETE');
  await row('cancelled.png').getByRole('button', { name: 'Cancel: cancelled.png' }).click();
  assert.equal((await given).status(), 204);
  await uploads().waitFor({ state: 'hidden' });
  assert.equal(await named('cancelled.png'), 0);
  forgetBrokenConnections();
  await nobodyHolds();
});

test('all uploads are cancelled at once', async () => {
  proxy.stall();
  const buffer = await noise(8);
  const files = Array.from({ length: 12 }, (_, n) => ({
    name: `all-${n}.png`,
    mimeType: 'image/png',
    buffer,
  }));
  await choose(files);
  await uploads().getByText('0 of 12 files').waitFor();
  await uploads().getByText('4 more files wait').waitFor();
  await uploads().getByRole('button', { name: 'Cancel all' }).click();
  await uploads().waitFor({ state: 'hidden' });
  proxy.resume();
  await page.getByText('Live', { exact: true }).waitFor();
  forgetBrokenConnections();
});

test('what opens a page first is small: the client of the protocol comes with the first large file', async () => {
  const scripts = new Set<string>();
  page.on('response', (response) => {
    if (response.url().endsWith('.js')) scripts.add(new URL(response.url()).pathname.split('/').at(-1) ?? '');
  });
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();
  assert.equal(scripts.size, 1, [...scripts].join());
  assert.ok((await readFile(large)).length > pieceBytes);
});
