import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';

let gantry: Gantry;
let browser: Browser;

before(async () => {
  gantry = await startGantry();
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await gantry?.stop();
});

const inPage = async (search: string, use: (page: Page) => Promise<void>): Promise<void> => {
  const context = await browser.newContext({ locale: 'en-GB' });
  try {
    const page = await context.newPage();
    await page.goto(`${gantry.url}/${search}`);
    await use(page);
  } finally {
    await context.close();
  }
};
const stale = /^As of \d\d:\d\d:\d\d\. No answer since \d\d:\d\d:\d\d: The server cannot be reached\.$/;

for (const [name, search, path, shown] of [
  ['the system', '?view=system', '**/system', '.model-card'],
  ['the counts', '', '**/summary', '.summary[aria-busy=false]'],
] as const) {
  test(`${name}: an answer that is no longer renewed says as of when it is, until it is`, () =>
    inPage(search, async (page) => {
      await page.locator(shown).waitFor();
      assert.equal(await page.getByText(stale).count(), 0);
      await page.route(path, (route) => route.abort());
      await page.getByText(stale).waitFor();
      await page.locator(shown).waitFor();
      const text = await page.getByText(stale).textContent();
      // The next failure changes nothing: the answer is as old, and so is the silence.
      await page.waitForEvent('requestfailed');
      await page.waitForEvent('requestfailed');
      assert.equal(await page.getByText(stale).textContent(), text);
      await page.unroute(path);
      await page.getByText(stale).waitFor({ state: 'detached' });
      await page.locator(shown).waitFor();
    }));

  test(`${name}: a server that takes the request and never answers counts as one that does not answer`, () =>
    inPage(search, async (page) => {
      await page.locator(shown).waitFor();
      await page.route(path, () => undefined);
      await page.getByText(stale).waitFor({ timeout: 60_000 });
      await page.unroute(path);
      await page.getByText(stale).waitFor({ state: 'detached' });
    }));
}
