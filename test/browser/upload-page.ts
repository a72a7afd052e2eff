import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { startProxy, type TcpProxy } from '../services/tcp-proxy.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
import { openWatchedPage } from './watched-page.ts';

/** Tiny, so that what is measured is the upload. */
const model = fileURLToPath(new URL('../fixtures/models/colours', import.meta.url));

/** The page of a server behind a proxy that can fail, anew for each test of a file. */
export interface UploadPage {
  readonly folder: string;
  readonly gantry: Gantry;
  readonly proxy: TcpProxy;
  readonly url: string;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  /** `METHOD offset` of every request to /uploads. */
  readonly requests: string[];
  /** Starts the server once more, at the same port. */
  restart(): Promise<void>;
  /** Takes console errors that a test provokes off the faults of the page. */
  forgive(fault: RegExp): void;
  uploads(): Locator;
  row(name: string): Locator;
  choose(files: Parameters<Locator['setInputFiles']>[0]): Promise<void>;
  /** Drops files or folders of the disk onto the page, as a file manager does. */
  drop(...files: string[]): Promise<void>;
  /** Drags files of the disk over the page, and holds them there. */
  dragOver(...files: string[]): Promise<void>;
  accepted(name: string): Promise<void>;
  /** How many images the server has whose name contains this. */
  named(name: string): Promise<number>;
  /** Resolves once no preview holds a file any more. */
  nobodyHolds(): Promise<void>;
}

/** What a page meets while its connections are cut: that is what is tested. */
export const brokenConnections = /net::ERR_|status of 503/;

/** A picture that cannot be compressed: some 3 bytes for each pixel. */
export const noise = (side: number): Promise<Buffer> =>
  sharp(randomBytes(side * side * 3), { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer();

/** A folder of `count` pictures at two depths, with what systems leave in folders. Returns its path. */
export const folderOf = async (parent: string, name: string, count: number): Promise<string> => {
  const path = join(parent, name);
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

/**
 * The network goes away with the second piece of a large file: no connection survives, none is made. (A browser mends a
 * single one that breaks by itself.) Resolves when that has happened.
 */
export const cutSecondPiece = (proxy: TcpProxy): Promise<boolean> =>
  proxy.cutBefore('toServer', (bytes) => {
    if (!/upload-offset: 8388608\r/i.test(bytes.toString('latin1'))) return false;
    proxy.refuse(true);
    setImmediate(proxy.cut);
    return true;
  });

/** Counts the pictures that the page holds for previews. */
const countObjectUrls = `
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
`;

/** Opens the page before each test of the calling file, and closes everything after; a fault of the page fails its test. */
export const uploadPage = (): UploadPage => {
  let folder: string;
  let gantry: Gantry;
  let proxy: TcpProxy;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];
  let requests: string[];

  const start = (args: readonly string[] = []): Promise<Gantry> =>
    startGantry({ dataDir: join(folder, 'data'), args, env: { GANTRY_MODEL: model, GANTRY_WORKERS: '1' } });
  const url = () => `http://localhost:${proxy.port}`;
  const uploads = () => page.getByRole('region', { name: 'Uploads' });
  const drag = async (types: readonly ('dragEnter' | 'dragOver' | 'drop')[], files: string[]) => {
    const cdp = await context.newCDPSession(page);
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of types) await cdp.send('Input.dispatchDragEvent', { type, x: 200, y: 300, data });
    await cdp.detach();
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-upload-page-'));
    await mkdir(join(folder, 'data'));
    gantry = await start();
    proxy = await startProxy({ host: '127.0.0.1', port: Number(new URL(gantry.url).port) });
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
    await context.addInitScript(countObjectUrls);
    ({ page, faults } = await openWatchedPage(context, url()));
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

  return {
    get folder() {
      return folder;
    },
    get gantry() {
      return gantry;
    },
    get proxy() {
      return proxy;
    },
    get url() {
      return url();
    },
    get browser() {
      return browser;
    },
    get context() {
      return context;
    },
    get page() {
      return page;
    },
    get requests() {
      return requests;
    },
    restart: async () => {
      gantry = await start(['--port', new URL(gantry.url).port]);
    },
    forgive: (fault) => {
      faults = faults.filter((one) => !fault.test(one));
    },
    uploads,
    row: (name) => uploads().getByRole('listitem').filter({ hasText: name }),
    choose: (files) => page.locator('input[type=file]').setInputFiles(files),
    drop: (...files) => drag(['dragEnter', 'dragOver', 'drop'], files),
    dragOver: (...files) => drag(['dragEnter', 'dragOver'], files),
    accepted: (name) => page.locator('[data-image]').filter({ hasText: name }).first().waitFor(),
    named: async (name) => {
      const answer = await fetch(`${gantry.url}/images?limit=500&text=${encodeURIComponent(name)}`);
      return ((await answer.json()) as { images: unknown[] }).images.length;
    },
    nobodyHolds: async () => {
      await page.evaluate(
        '(async () => { while (objectUrls.size > 0) await new Promise(requestAnimationFrame); })()',
      );
    },
  };
};
