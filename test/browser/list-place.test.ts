import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { upload } from '../acceptance/target.ts';
import { plainPicture } from '../poison.ts';
import type { Gantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
import { startFilledGantry } from './filled-gantry.ts';
import { openWatchedPage } from './watched-page.ts';

const count = 3_000;

let gantry: Gantry;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];

before(async () => {
  gantry = await startFilledGantry(count);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await gantry?.stop();
});
beforeEach(async () => {
  context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } });
  ({ page, faults } = await openWatchedPage(context, gantry.url));
  await page.locator('[aria-posinset="1"] .card').waitFor();
});
afterEach(async () => {
  await context.close();
  // The images have no thumbnails.
  faults = faults.filter((fault) => !fault.includes('status of 404'));
  assert.deepEqual(faults, []);
});

/** What the window shows: places in the list, names and pixels, from top to bottom. */
const shown = () =>
  page.evaluate(`[...document.querySelectorAll('.virtual > li')]
    .map((item) => [item.getBoundingClientRect(), item])
    .filter(([box]) => box.bottom > 0 && box.top < innerHeight)
    .map(([box, item]) => [item.ariaPosInSet, item.querySelector('.card-name')?.textContent, box.top].join(' '))
    .sort((a, b) => Number.parseInt(a) - Number.parseInt(b))`) as Promise<string[]>;

/** Scrolls by so many pixels, and has what is seen then drawn. */
const scrollBy = async (pixels: number): Promise<readonly string[]> => {
  await page.evaluate(`new Promise((resolve) => {
    addEventListener('scroll', () => requestAnimationFrame(() => requestAnimationFrame(resolve)), { once: true });
    scrollBy(0, ${pixels});
  })`);
  await page.locator('.card-skeleton').first().waitFor({ state: 'detached' });
  return shown();
};

/** Scrolls down until the image at this place is seen, and then some pixels of a row. */
const scrollTo = async (place: number): Promise<readonly string[]> => {
  await page.evaluate(`new Promise((resolve) => {
    const step = () => {
      const items = [...document.querySelectorAll('.virtual > li')];
      if (items.some((item) => Number(item.ariaPosInSet) >= ${place})) return resolve();
      scrollTo(0, document.documentElement.scrollHeight);
      requestAnimationFrame(step);
    };
    step();
  })`);
  return scrollBy(-137);
};
/** Follows a link of the navigation from wherever the page is scrolled to. */
const go = async (name: string): Promise<void> => {
  await page
    .getByRole('navigation')
    .getByRole('link', { name })
    .evaluate((link: { focus(options: object): void }) => link.focus({ preventScroll: true }));
  await page.keyboard.press('Enter');
};
const scrolled = () => page.evaluate('scrollY') as Promise<number>;
const topRow = async () => Number.parseInt((await shown())[0] ?? '', 10);

/** From now on: whether anything but cards was drawn in the list's place, and which rows were, frame by frame. */
const watchFrames = () =>
  page.evaluate(`{
    globalThis.frames = [];
    const look = () => {
      const cards = document.querySelector('.cards');
      if (cards) {
        const item = [...cards.children].find((one) => one.getBoundingClientRect().bottom > 0);
        const loading = document.querySelector('.skeletons, .card-skeleton');
        globalThis.frames.push(loading ? 'loading' : item?.ariaPosInSet + ' ' + item?.getBoundingClientRect().top);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }`);
const framesSeen = () => page.evaluate('[...new Set(globalThis.frames)]') as Promise<string[]>;

test('back in the list it is where it was from the first frame on, and forward, too', async () => {
  const left = await scrollTo(1_500);
  await go('Dead letters');
  await page.locator('.letter').first().waitFor();
  assert.equal(await scrolled(), 0);
  await watchFrames();
  const asked = page.waitForResponse(/images\?/);
  await page.goBack();
  assert.deepEqual(await shown(), left);
  // A request tells whatever no event told; it changes nothing here.
  await asked;
  await page.locator('.cards').evaluate('new Promise(requestAnimationFrame)');
  assert.deepEqual(await shown(), left);
  assert.equal((await framesSeen()).length, 1, `${await framesSeen()}`);

  const higher = await scrollBy(-3_000);
  await page.goForward();
  await page.locator('.letter').first().waitFor();
  await page.goBack();
  assert.deepEqual(await shown(), higher);
});

test('a filtered list is where it was left, and so is the one before', async () => {
  const all = await scrollBy(80);
  await page.getByLabel('Label').selectOption('cat');
  await page.waitForURL(/label=cat/);
  await page.locator('.chip', { hasText: 'dog' }).first().waitFor({ state: 'detached' });
  assert.equal(await scrolled(), 80);
  const cats = await scrollTo(400);
  await page.goBack();
  assert.deepEqual(await shown(), all);
  await page.goForward();
  assert.deepEqual(await shown(), cats);
});

test('a span of time is one step back, whatever is tried in its panel', async () => {
  await page.locator('.filter-time summary').click();
  await page.getByLabel('Uploaded before').fill('2025-07-01T12:00');
  await page.getByLabel('Uploaded from').fill('2025-06-01T12:00');
  await page.waitForURL(/from=2025.*until=2025/);
  await page.goBack();
  await page.waitForURL(`${gantry.url}/`);
  await page.goForward();
  await page.waitForURL(/from=2025.*until=2025/);
});

test('a click on the place goes to its top; what was left is one step back', async () => {
  const left = await scrollTo(700);
  await watchFrames();
  await go('Images');
  assert.equal(await scrolled(), 0);
  assert.match((await shown())[0] ?? '', /^1 /);
  assert.ok(!(await framesSeen()).includes('loading'));
  await page.goBack();
  assert.deepEqual(await shown(), left);
});

test('twenty quick steps back and forth end where they began', async () => {
  const left = await scrollTo(800);
  await go('System');
  await go('Dead letters');
  await page.locator('.letter').first().waitFor();
  await page.evaluate(`(async () => {
    for (let step = 0; step < 20; step += 1) {
      history.go(step % 2 ? 2 : -2);
      await new Promise(requestAnimationFrame);
    }
    history.go(-2);
  })()`);
  await page.locator('.cards').waitFor();
  assert.deepEqual(await shown(), left);
});

test('in a window of another size the same images are seen', async () => {
  const left = await scrollTo(1_000);
  const first = await topRow();
  await go('System');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('.model-card').waitFor();
  await page.goBack();
  const narrow = await topRow();
  assert.ok(narrow <= first && narrow > first - 2, `${narrow}, not ${first}`);
  await page.goForward();
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.locator('.model-card').waitFor();
  await page.goBack();
  assert.equal(await topRow(), first);
  assert.equal((await shown()).length, left.length);
});

test('images that come and go meanwhile move nothing', async () => {
  const left = await scrollTo(600);
  await go('Dead letters');
  await page.locator('.letter').first().waitFor();
  const name = left[3]?.split(' ').slice(1, -1).join(' ') ?? '';
  const found = await fetch(`${gantry.url}/images?text=${encodeURIComponent(name)}`);
  const { images } = (await found.json()) as { images: { id: string; filename: string }[] };
  const id = images.find(({ filename }) => filename === name)?.id;
  assert.equal((await fetch(`${gantry.url}/images/${id}`, { method: 'DELETE' })).status, 204);
  await upload(gantry.url, [await plainPicture('new.png', '#00ff00')]);

  await page.goBack();
  await page.getByRole('button', { name: '1 new image' }).waitFor();
  await page.getByText('No longer in this list').waitFor();
  const now = await shown();
  assert.deepEqual(now.with(3, ''), left.toSpliced(3, 1, ''));
});

test('a reload comes back to a place near the top, and to the top from one far below', async () => {
  const near = await scrollTo(290);
  await page.reload();
  await page.locator('.cards').waitFor();
  await page.locator(`[aria-posinset="${near[0]?.split(' ')[0]}"]`).waitFor();
  assert.deepEqual(
    (await shown()).map((row) => row.split(' ')[0]),
    near.map((row) => row.split(' ')[0]),
  );
  await scrollTo(1_200);
  await page.reload();
  await page.locator('.cards').waitFor();
  assert.match((await shown())[0] ?? '', /^1 /);
  assert.equal(await scrolled(), 0);
});

test('an image that is opened and closed leaves the list and the focus where they were', async () => {
  const left = await scrollTo(500);
  const name = left[8]?.split(' ').slice(1, -1).join(' ') ?? '';
  const card = page.getByRole('link', { name });
  await card.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await card.and(page.locator(':focus')).waitFor();
  assert.deepEqual(await shown(), left);

  await page.goForward();
  await page.getByRole('dialog', { name }).waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(await shown(), left);
});

test('of a list that was left long ago the place is known, if it is near the top', async () => {
  const left = await scrollTo(290);
  for (let visit = 0; visit < 8; visit += 1) {
    await go('Images');
    await page.locator('[aria-posinset="1"]').waitFor();
  }
  await page.evaluate('history.go(-8)');
  await page.locator(`[aria-posinset="${left[0]?.split(' ')[0]}"]`).waitFor();
  await page.locator('.card-skeleton').first().waitFor({ state: 'detached' });
  assert.deepEqual(await shown(), left);
});
