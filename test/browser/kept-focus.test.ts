import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { ended, json, type UploadJson, upload } from '../acceptance/target.ts';
import { plainPicture, poisonModel } from '../poison.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
import { openWatchedPage } from './watched-page.ts';

let gantry: Gantry;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];

const add = async (name: string, colour: string): Promise<void> => {
  const { images } = await json<UploadJson>(await upload(gantry.url, [await plainPicture(name, colour)]));
  await ended(gantry.url, images[0]?.id ?? '');
};
const button = (name: string | RegExp) => page.getByRole('button', { name });
/** Presses a button with the keyboard; it has the focus while its request is held up, does nothing then, and has it after. */
const pressAndHold = async (pressed: Locator, path: string): Promise<void> => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let requests = 0;
  await page.route(path, async (route) => {
    requests += 1;
    await released;
    await route.continue();
  });
  const asked = page.waitForRequest(path);
  await pressed.press('Enter');
  await asked;
  await pressed.and(page.locator('[aria-disabled=true]:focus')).waitFor();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Space');
  const answered = page.waitForResponse(path);
  release();
  await answered;
  await page.unroute(path);
  assert.equal(requests, 1);
};
const focused = () => page.evaluate('document.activeElement !== document.body') as Promise<boolean>;

before(async () => {
  gantry = await startGantry({
    env: { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1', GANTRY_MAX_ATTEMPTS: '1' },
  });
  browser = await launchChromium();
  await add('red.png', '#ff0000');
  await add('white.png', '#ffffff');
  await add('bright.png', '#ffffff');
});
after(async () => {
  await browser?.close();
  await gantry?.stop();
});
beforeEach(async () => {
  context = await browser.newContext({ locale: 'en-GB' });
  ({ page, faults } = await openWatchedPage(context, gantry.url));
  await page.getByRole('link', { name: /red/ }).waitFor();
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(faults, []);
});

test('Reprocess keeps the focus', async () => {
  await page.getByRole('link', { name: /red/ }).click();
  await pressAndHold(button('Reprocess'), '**/reprocess');
  await page.locator('dt:text-is("Run") + dd').filter({ hasText: '2' }).waitFor();
  await button('Reprocess').and(page.locator(':focus')).waitFor();
});

test('Replay in the list leaves the focus at its image', async () => {
  const card = page.locator('.card').filter({ hasText: 'white.png' });
  await pressAndHold(card.getByRole('button', { name: /^Replay/ }), '**/replay');
  await card.locator(':focus').waitFor();
  // The button goes with the state that it ends, and may be back by now.
  await card.locator('.chip-dead').waitFor();
  assert.ok(await focused());
});

test('Replay of a dead letter, and of all, keeps the focus', async () => {
  await page.getByRole('link', { name: /Dead letters/ }).click();
  const letter = page.locator('.letter').filter({ hasText: 'white.png' });
  await pressAndHold(letter.getByRole('button', { name: /^Replay/ }), '**/replay');
  await letter.getByText(/^run [23]$/).waitFor();
  // It is no dead letter meanwhile: the next one in the list may have the focus.
  assert.ok(await focused());

  await button('Replay all 2').press('Enter');
  await button('Not now').and(page.locator(':focus')).waitFor();
  await pressAndHold(button('Replay all 2'), '**/dead-letters/replay');
  await page.getByText(/^\d images? (is|are) queued again/).waitFor();
  assert.ok(await focused());
});

test('what closes or goes when it is pressed leaves the focus beside it', async () => {
  const time = page.locator('.filter-time summary');
  await time.press('Enter');
  await button('Last hour').press('Enter');
  await time.and(page.locator(':focus')).waitFor();
  await button('Show all images').press('Enter');
  await button('Show all images').waitFor({ state: 'detached' });
  await time.and(page.locator(':focus')).waitFor();
});

test('a button that shows all images, where none matched, leaves the focus at the title', async () => {
  const title = page.locator('#title:focus');
  await page.goto(`${gantry.url}/?text=nothing-is-called-so`);
  await page.locator('.notice').getByRole('button', { name: 'Show all images' }).press('Enter');
  await page.getByRole('link', { name: /red/ }).waitFor();
  await title.waitFor();
});
