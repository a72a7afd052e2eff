import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { axe } from './axe.ts';
import { launchChromium } from './chromium.ts';
import { saidTwice } from './said-twice.ts';

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));

let gantry: Gantry;
let browser: Browser;

const upload = async (bytes: Uint8Array<ArrayBuffer>, name: string): Promise<void> => {
  const body = new FormData();
  body.append('image', new Blob([bytes]), name);
  assert.equal((await fetch(`${gantry.url}/upload`, { method: 'POST', body })).status, 202);
};

before(async () => {
  // A white picture kills its worker; the model takes everything else.
  gantry = await startGantry({
    env: { GANTRY_MODEL: fixture('models/poison'), GANTRY_MAX_ATTEMPTS: '1' },
  });
  browser = await launchChromium();
  await upload(new Uint8Array(await readFile(fixture('cats/chelsea.png'))), 'cat.png');
  await upload(new Uint8Array(await readFile(fixture('odd/dog_truncated.jpg'))), 'broken.jpg');
  const white = { create: { width: 64, height: 64, channels: 3, background: 'white' } } as const;
  await upload(new Uint8Array(await sharp(white).png().toBuffer()), 'white.png');
});
after(async () => {
  await browser?.close();
  await gantry?.stop();
});

const screens = [
  { name: 'light', size: { width: 1280, height: 900 }, colorScheme: 'light' },
  { name: 'dark', size: { width: 1280, height: 900 }, colorScheme: 'dark' },
  { name: 'phone', size: { width: 390, height: 844 }, colorScheme: 'light' },
  { name: 'narrow and dark', size: { width: 320, height: 640 }, colorScheme: 'dark' },
] as const;

type Prepare = (page: Page, context: BrowserContext) => Promise<unknown>;
const openCard = async (page: Page, name: RegExp): Promise<void> => {
  await page.getByRole('link', { name }).click();
  await page.locator('.timeline li').first().waitFor();
};
const views: Readonly<Record<string, readonly [search: string, prepare: Prepare]>> = {
  images: ['', (page) => page.locator('.chip-dead').waitFor()],
  filtered: [
    '?state=succeeded',
    async (page) => {
      await page.locator('.card').first().waitFor();
      // Only narrow windows show the button.
      await page.locator('.filter-toggle').dispatchEvent('click');
      await page.locator('.filter-time summary').click();
    },
  ],
  'no match': ['?text=zebra', (page) => page.getByText('No image matches').waitFor()],
  'an image': ['', (page) => openCard(page, /cat\.png/)],
  'an image in JSON': [
    '',
    async (page) => {
      await openCard(page, /broken\.jpg/);
      await page.locator('.json summary').click();
    },
  ],
  'no such image': ['?image=nothing', (page) => page.getByText('does not exist').waitFor()],
  'a deletion': [
    '?state=failed',
    async (page) => {
      await openCard(page, /broken\.jpg/);
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('button', { name: /^Undo/ }).waitFor();
    },
  ],
  'a refused upload': [
    '',
    async (page) => {
      const file = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture') };
      await page.locator('input[type=file]').first().setInputFiles(file);
      await page.getByRole('region', { name: 'Uploads' }).getByText('Refused').first().waitFor();
    },
  ],
  'dead letters': ['?view=dead-letters', (page) => page.locator('.letter').waitFor()],
  'replay all': [
    '?view=dead-letters',
    async (page) => {
      await page.getByRole('button', { name: 'Replay it' }).click();
      await page.getByRole('button', { name: 'Not now' }).waitFor();
    },
  ],
  system: [
    '?view=system',
    (page) => page.getByRole('heading', { level: 4, name: 'Accuracy of each label' }).waitFor(),
  ],
  offline: [
    '',
    async (page, context) => {
      await page.locator('.card').first().waitFor();
      await context.setOffline(true);
      await page.getByText(/No connection to the server/).waitFor();
    },
  ],
  'a fault': [
    '',
    async (page, context) => {
      await context.route('**/images?*', (route) => route.abort());
      await page.reload();
      await page.getByText('The images cannot be loaded').waitFor();
    },
  ],
  loading: [
    '',
    async (page, context) => {
      await context.route('**/images?*', () => undefined);
      await page.reload();
      await page.locator('.card-skeleton').first().waitFor();
    },
  ],
};

for (const [view, [search, prepare]] of Object.entries(views)) {
  test(`axe finds nothing, nothing is said twice or wider than the window: ${view}`, async () => {
    const context = await browser.newContext({ locale: 'en-GB', reducedMotion: 'reduce' });
    try {
      const page = await context.newPage();
      await page.goto(`${gantry.url}/${search}`);
      await prepare(page, context);
      // What is pointed at is not deleted, so that it is there for every look.
      const toast = page.locator('.toast');
      if (await toast.isVisible()) await toast.hover();
      assert.deepEqual(await saidTwice(page), []);
      for (const { name, size, colorScheme } of screens) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await axe(page), [], name);
        const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
        assert.equal(await page.evaluate(overflow), 0, name);
      }
      const undo = page.getByRole('button', { name: /^Undo/ });
      if (await undo.isVisible()) await undo.click();
    } finally {
      await context.close();
    }
  });
}
