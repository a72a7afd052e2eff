import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Page } from 'playwright-core';
import { startFilledGantry } from './filled-gantry.ts';
import { follow, scrollBy, scrollTo, shown } from './scrolled-list.ts';
import { visitPage } from './visit.ts';

const visit = visitPage({
  start: () => startFilledGantry(3_000),
  context: { viewport: { width: 1280, height: 900 } },
  // The images have no thumbnails.
  tolerated: /status of 404/,
});
beforeEach(() => visit.page.locator('[aria-posinset="1"] .card').waitFor());

/** From now on: whether anything but cards was drawn in the list's place, and which rows were, frame by frame. */
const watchFrames = (page: Page) =>
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
const framesSeen = (page: Page) => page.evaluate('[...new Set(globalThis.frames)]') as Promise<string[]>;

test('back in the list it is where it was from the first frame on, and forward, too', async () => {
  const { page } = visit;
  const left = await scrollTo(page, 1_500);
  await follow(page, 'Dead letters');
  await page.locator('.letter').first().waitFor();
  assert.equal(await page.evaluate('scrollY'), 0);
  await watchFrames(page);
  const asked = page.waitForResponse(/images\?/);
  await page.goBack();
  assert.deepEqual(await shown(page), left);
  // A request tells whatever no event told; it changes nothing here.
  await asked;
  await page.locator('.cards').evaluate('new Promise(requestAnimationFrame)');
  assert.deepEqual(await shown(page), left);
  assert.equal((await framesSeen(page)).length, 1, `${await framesSeen(page)}`);

  const higher = await scrollBy(page, -3_000);
  await page.goForward();
  await page.locator('.letter').first().waitFor();
  await page.goBack();
  assert.deepEqual(await shown(page), higher);
});

test('a filtered list is where it was left, and so is the one before', async () => {
  const { page } = visit;
  const all = await scrollBy(page, 80);
  await page.getByLabel('Label').selectOption('cat');
  await page.waitForURL(/label=cat/);
  await page.locator('.chip', { hasText: 'dog' }).first().waitFor({ state: 'detached' });
  assert.equal(await page.evaluate('scrollY'), 80);
  const cats = await scrollTo(page, 400);
  await page.goBack();
  assert.deepEqual(await shown(page), all);
  await page.goForward();
  assert.deepEqual(await shown(page), cats);
});

test('a span of time is one step back, whatever is tried in its panel', async () => {
  const { gantry, page } = visit;
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
  const { page } = visit;
  const left = await scrollTo(page, 700);
  await watchFrames(page);
  await follow(page, 'Images');
  assert.equal(await page.evaluate('scrollY'), 0);
  assert.match((await shown(page))[0] ?? '', /^1 /);
  assert.ok(!(await framesSeen(page)).includes('loading'));
  await page.goBack();
  assert.deepEqual(await shown(page), left);
});

test('twenty quick steps back and forth end where they began', async () => {
  const { page } = visit;
  const left = await scrollTo(page, 800);
  await follow(page, 'System');
  await follow(page, 'Dead letters');
  await page.locator('.letter').first().waitFor();
  await page.evaluate(`(async () => {
    for (let step = 0; step < 20; step += 1) {
      history.go(step % 2 ? 2 : -2);
      await new Promise(requestAnimationFrame);
    }
    history.go(-2);
  })()`);
  await page.locator('.cards').waitFor();
  assert.deepEqual(await shown(page), left);
});
