import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { json, type UploadJson, upload } from '../acceptance/target.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
import { openWatchedPage } from './watched-page.ts';

/** A file among the tests' pictures and models. */
export const fixture = (path: string): string =>
  fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
export const dog = fixture('dogs/golden_retriever.jpg');
export const cat = fixture('cats/chelsea.png');

/** A server for the calling file and, for each of its tests, a page of it in a browser that knows nothing yet. */
export interface Visit {
  readonly gantry: Gantry;
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong on the page. What is left of it at its end fails the test. */
  faults: string[];
  /** Sends a file as another client does; resolves with the image's ID. */
  uploadByFetch(path: string, name: string): Promise<string>;
  /** Chooses files to upload. */
  choose(files: Parameters<ReturnType<Page['locator']>['setInputFiles']>[0]): Promise<void>;
  cardOf(name: string): ReturnType<Page['locator']>;
  /** Waits for the result of an image in the list. */
  done(name: string, label: string): Promise<void>;
}

interface VisitOptions {
  readonly start?: () => Promise<Gantry>;
  readonly context?: BrowserContextOptions;
  /** What may go wrong on the page. */
  readonly tolerated?: RegExp;
}

/** Visits a page in every test of the calling file. */
export const visitPage = ({ start = startGantry, context: options, tolerated }: VisitOptions = {}): Visit => {
  let gantry: Gantry;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  before(async () => {
    gantry = await start();
    browser = await launchChromium();
  });
  after(async () => {
    await browser?.close();
    await gantry?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext({ locale: 'en-GB', ...options });
    const watched = await openWatchedPage(context, gantry.url);
    page = watched.page;
    visit.faults = watched.faults;
    await page.getByText('Live', { exact: true }).waitFor();
  });
  afterEach(async () => {
    await context.close();
    const faults = visit.faults.filter((fault) => !tolerated?.test(fault));
    assert.deepEqual(faults, []);
  });

  const visit: Visit = {
    get gantry() {
      return gantry;
    },
    get context() {
      return context;
    },
    get page() {
      return page;
    },
    faults: [],
    async uploadByFetch(path, name) {
      const answer = await upload(gantry.url, [{ name, bytes: await readFile(path) }]);
      const { images } = await json<UploadJson>(answer);
      return images[0]?.id ?? assert.fail('no image in the answer');
    },
    choose: (files) => page.locator('input[type=file]').setInputFiles(files),
    cardOf: (name) => page.locator('.virtual > li').filter({ hasText: name }),
    done: (name, label) => visit.cardOf(name).locator('.chip-succeeded').filter({ hasText: label }).waitFor(),
  };
  return visit;
};
