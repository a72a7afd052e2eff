import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { ended, json, type UploadJson, upload } from '../acceptance/target.ts';
import { plainPicture, poisonModel } from '../poison.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
import { openWatchedPage } from './watched-page.ts';

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

let gantry: Gantry;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];

const card = (name: RegExp) => page.getByRole('link', { name });
const dialog = () => page.getByRole('dialog');
const open = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<void> => {
  context = await browser.newContext({ locale: 'en-GB', ...options });
  ({ page, faults } = await openWatchedPage(context, gantry.url));
  await card(/red/).waitFor();
};

before(async () => {
  gantry = await startGantry({ env: { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1' } });
  browser = await launchChromium();
  for (const [name, colour] of [
    ['red.png', '#ff0000'],
    ['green.png', '#00ff00'],
  ] as const) {
    const { images } = await json<UploadJson>(await upload(gantry.url, [await plainPicture(name, colour)]));
    await ended(gantry.url, images[0]?.id ?? '');
  }
});
after(async () => {
  await browser?.close();
  await gantry?.stop();
});
beforeEach(() => {
  faults = [];
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(faults, []);
});

/** Has the image deleted in a few seconds, and another one open before that. */
const deleteAndOpenAnother = async (): Promise<void> => {
  await card(/red/).click();
  await dialog().getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Undo the deletion of red.png' }).waitFor();
  await card(/green/).click();
  await page.getByRole('dialog', { name: 'green.png' }).waitFor();
};

test('a deletion can be undone while another image is open, with the pointer', async () => {
  await open();
  await deleteAndOpenAnother();
  await dialog().getByRole('button', { name: 'Undo the deletion of red.png' }).click();
  await page.locator('.toast').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  await card(/red/).getByText('dog').waitFor();
});

test('a deletion can be undone while another image is open, with Ctrl+Z', async () => {
  await open();
  await deleteAndOpenAnother();
  await page.keyboard.press('Control+z');
  await page.locator('.toast').waitFor({ state: 'detached' });
  await dialog().getByRole('status').filter({ hasText: 'red.png is kept.' }).waitFor();
  await page.keyboard.press('Escape');
  await card(/red/).getByText('dog').waitFor();
});

test('a screen reader hears of results while an image is open, once, and of none that it has heard', async () => {
  await open();
  await card(/green/).click();
  const heard = (words: RegExp) => dialog().getByRole('status').filter({ hasText: words });
  await upload(gantry.url, [await plainPicture('meanwhile.png', '#ff0000')]);
  await heard(/^meanwhile\.png: dog/).waitFor({ state: 'attached' });
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'detached' });
  const again = page.getByRole('status').filter({ hasText: /^meanwhile\.png/ });
  assert.equal(await again.count(), 0);
  await card(/green/).click();
  await dialog().waitFor();
  assert.equal(await again.count(), 0);
});

test('the JSON of an image is copied', async () => {
  await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await card(/green/).click();
  await dialog().getByText('JSON', { exact: true }).click();
  await dialog().getByRole('button', { name: 'Copy' }).click();
  await dialog().getByText('Copied').waitFor();
  const copied = (await page.evaluate('navigator.clipboard.readText()')) as string;
  assert.equal((JSON.parse(copied) as { filename: string }).filename, 'green.png');
});

test('where there is no clipboard the JSON is selected to be copied', async () => {
  await open();
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
  await card(/green/).click();
  await dialog().getByText('JSON', { exact: true }).click();
  await dialog().getByRole('button', { name: 'Copy' }).click();
  await dialog().getByText('Select the text to copy it').waitFor();
  assert.match((await page.evaluate('String(getSelection())')) as string, /"filename": "green\.png"/);
});

test('two fingers zoom the picture; one scrolls past it until then', async () => {
  await open(phone);
  await card(/green/).click();
  await page.locator('.stage[data-original=shown]').waitFor();
  const stage = page.locator('.stage-picture');
  const box = (await stage.boundingBox()) ?? assert.fail('no picture');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const cdp = await context.newCDPSession(page);
  const touch = (
    type: 'touchStart' | 'touchMove' | 'touchEnd',
    ...points: readonly (readonly [number, number])[]
  ) =>
    cdp.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: points.map(([dx, dy], id) => ({ x: x + dx, y: y + dy, id })),
    });

  await touch('touchStart', [-30, 0], [30, 0]);
  for (let reach = 40; reach <= 90; reach += 10) await touch('touchMove', [-reach, 0], [reach, 0]);
  await touch('touchEnd');
  await dialog().getByText('300%').waitFor();
  await dialog().getByRole('button', { name: 'Fit to the window' }).click();
  await dialog().getByText('100%').waitFor();

  await touch('touchStart', [0, 100]);
  for (let dy = 90; dy >= -100; dy -= 10) await touch('touchMove', [0, dy]);
  await touch('touchEnd');
  await page.evaluate(`(async () => {
    const body = document.querySelector('.dialog-body');
    while (body.scrollTop === 0) await new Promise(requestAnimationFrame);
  })()`);
});

test('a phone shows the images before the filters, which a button opens', async () => {
  await open(phone);
  const name = page.getByLabel('File name');
  assert.equal(await name.isVisible(), false);
  const toggle = page.getByRole('button', { name: 'Filter' });
  await toggle.click();
  await page.getByLabel('Label').selectOption('cat');
  await card(/red/).waitFor({ state: 'detached' });
  await name.fill('green');
  await page.waitForURL(/text=green/);
  await toggle.click();
  await name.waitFor({ state: 'hidden' });
  // How many conditions there are is still said.
  await page.getByRole('button', { name: 'Filter 2' }).waitFor();
  await card(/green/).waitFor();

  await page.setViewportSize({ width: 1280, height: 800 });
  await name.waitFor();
  assert.equal(await toggle.isVisible(), false);
});
