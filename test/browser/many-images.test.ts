import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { Gantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
import { startFilledGantry } from './filled-gantry.ts';
import { scrollDown, shown } from './scrolled-list.ts';
import { openWatchedPage } from './watched-page.ts';

const count = 100_000;
/** Many times what a window shows, and nothing of what there is. */
const mostElements = 150;

let gantry: Gantry;
let browser: Browser;

before(async () => {
  gantry = await startFilledGantry(count);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await gantry?.stop();
});

const elements = (page: Page) => page.locator('.virtual > li').count();
const heapBytes = async (page: Page): Promise<number> => {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
};
const end = (page: Page) => page.getByText('All 100,000 images are listed.');

test('100,000 images are scrolled through with few elements and little memory, and nothing jumps', async () => {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
  const { page, faults } = await openWatchedPage(context, gantry.url);
  page.setDefaultTimeout(120_000);
  await page.locator('.card').first().waitFor();

  await scrollDown(page, 10_000);
  const early = await heapBytes(page);
  await scrollDown(page, count);
  await end(page).scrollIntoViewIfNeeded();
  await page.locator('[aria-posinset="100000"] a').waitFor();
  assert.ok((await elements(page)) < mostElements, `${await elements(page)} elements`);
  assert.match((await shown(page)).at(-1) ?? '', /^100000 /);
  const late = await heapBytes(page);
  assert.ok(late - early < 10_000_000, `${early} bytes with 10,000 images, ${late} with all`);

  // Somebody else's upload tells of itself and moves nothing.
  const before = await shown(page);
  const body = new FormData();
  const cat = await readFile(fileURLToPath(new URL('../fixtures/cats/chelsea.png', import.meta.url)));
  body.append('image', new Blob([cat]), 'while-scrolled.png');
  assert.equal((await fetch(`${gantry.url}/upload`, { method: 'POST', body })).status, 202);
  const fresh = page.getByRole('button', { name: '1 new image' });
  await fresh.waitFor();
  assert.deepEqual(await shown(page), before);

  // In the middle the pages that were let go of come back.
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight / 2)');
  await page.locator('[aria-posinset^="50"] a, [aria-posinset^="49"] a').first().waitFor();
  await page.locator('.card-skeleton').first().waitFor({ state: 'detached' });
  const middle = Number.parseInt((await shown(page))[0] ?? '', 10);
  assert.ok(middle > 40_000 && middle < 60_000, `${middle}`);
  assert.ok((await elements(page)) < mostElements);

  // Elsewhere and back: the same rows on the same pixels.
  const left = await shown(page);
  await page.getByRole('link', { name: 'System' }).dispatchEvent('click');
  await page.locator('.model-card').waitFor();
  await page.goBack();
  assert.deepEqual(await shown(page), left);
  await fresh.waitFor();

  // With the keyboard: to the image beside, and to the end.
  await page.locator('.virtual a').nth(20).focus();
  const from = Number(await page.evaluate("document.activeElement.closest('li').ariaPosInSet"));
  await page.keyboard.press('ArrowRight');
  await page.locator(`[aria-posinset="${from + 1}"] a:focus`).waitFor();
  await page.keyboard.press('End');
  await page.locator('[aria-posinset="100000"] a:focus').waitFor();

  await fresh.click();
  await page.getByRole('link', { name: /while-scrolled/ }).waitFor();
  assert.match((await shown(page))[0] ?? '', /^1 while-scrolled/);
  await fresh.waitFor({ state: 'detached' });
  // The rows have results and no thumbnails.
  assert.deepEqual(
    faults.filter((fault) => !fault.includes('status of 404')),
    [],
  );
  await context.close();
});
