import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Page } from 'playwright-core';
import { json } from '../acceptance/target.ts';
import { axe } from './axe.ts';
import { cat, dog, visitPage } from './visit.ts';

const visit = visitPage({ context: { reducedMotion: 'reduce' } });

const places: Readonly<Record<string, string>> = {
  '': '.card .chip-succeeded',
  '?view=dead-letters': '.notice',
  '?view=system': '.model-card',
};

beforeEach(async () => {
  const { images } = await json<{ images: unknown[] }>(await fetch(`${visit.gantry.url}/images`));
  if (images.length > 0) return;
  await visit.uploadByFetch(dog, 'dog.jpg');
  await visit.uploadByFetch(cat, 'cat.png');
  await visit.done('dog.jpg', 'dog');
  await visit.done('cat.png', 'cat');
});

const open = async (search: string): Promise<void> => {
  await visit.page.goto(`${visit.gantry.url}/${search}`);
  await visit.page
    .locator(places[search] ?? '')
    .first()
    .waitFor();
};
const openImage = async (): Promise<void> => {
  await open('');
  await visit.page.getByRole('link', { name: /dog\.jpg/ }).click();
  await visit.page.locator('.timeline li').first().waitFor();
};

const styleOf = async (selector: string, property: string): Promise<string> =>
  String(
    await visit.page.evaluate(
      `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).${property}`,
    ),
  );

const isSound = async (page: Page, where: string, forced = false): Promise<void> => {
  const found = await axe(page);
  // Which colours the system puts is its own affair, and axe takes some of ours for them.
  const counted = found.filter((one) => !forced || !one.startsWith('color-contrast:'));
  assert.deepEqual(counted, [], where);
  const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  assert.equal(await page.evaluate(overflow), 0, where);
};

/** What of the element with the focus can be seen: its name, whether a line is around it, and what lies over it. */
const focusSeen = `(() => {
  const element = document.activeElement;
  // A card draws the line around itself, a hidden choice of files around its label.
  const drawn = [element, element.closest('.card'), element.nextElementSibling].filter(Boolean);
  const lined = drawn.some((one) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || (one.matches('.card') && / 2px$/.test(boxShadow));
  });
  const target = element.matches('.visually-hidden, input[type=file]') ? element.nextElementSibling ?? element : element;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  const y = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2;
  const over = document.elementFromPoint((left + right) / 2, y);
  const name = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40);
  return { name: element.tagName + ' ' + name, lined, seen: over !== null && (target.contains(over) || over.contains(target)) };
})()`;

/** Goes from one control to the next, as far as there are any, and looks where the focus is. */
const walk = async (page: Page, where: string): Promise<void> => {
  let steps = 0;
  for (; steps < 25; steps += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate('document.activeElement === document.body')) break;
    const { name, lined, seen } = (await page.evaluate(focusSeen)) as Record<string, unknown>;
    assert.deepEqual({ lined, seen }, { lined: true, seen: true }, `${where}: ${name}`);
  }
  assert.ok(steps > 4, `${where}: only ${steps} controls`);
};

test('with the colours of the system everything is still told apart, and the focus is seen', async () => {
  const { page } = visit;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, forcedColors: 'active' });
    for (const search of Object.keys(places)) {
      await open(search);
      await isSound(page, `${colorScheme} ${search}`, true);
      await walk(page, `${colorScheme} ${search}`);
      // Nothing but a background told which place this is.
      assert.equal(await styleOf('nav [aria-current]', 'borderBlockEndWidth'), '3px');
    }
    await openImage();
    await isSound(page, `${colorScheme} an image`, true);
  }
});

test('at 400 % the page is one column, nothing is cut off, and the focus is never covered', async () => {
  const { page } = visit;
  // 1280 by 1024 pixels, of which each is four wide and high.
  await page.setViewportSize({ width: 320, height: 256 });
  for (const search of Object.keys(places)) {
    await open(search);
    await isSound(page, search);
    await walk(page, search);
  }
  await openImage();
  await isSound(page, 'an image');
});

test('paper gets the pictures and what they show, and nothing that is to be pressed', async () => {
  const { page } = visit;
  // A4 at 96 pixels an inch.
  await page.setViewportSize({ width: 794, height: 1123 });
  const controls = page.locator('button, input, select, summary, nav').filter({ visible: true });
  for (const [name, go, title] of [
    ['the list', () => open(''), '#title'],
    ['an image', openImage, '#dialog-title'],
  ] as const) {
    await page.emulateMedia({ media: 'screen' });
    await go();
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.deepEqual(await controls.allTextContents(), [], name);
    await isSound(page, name);
    // Ink on paper, also where the screen is dark.
    const ink = await styleOf(title, 'color');
    const [red = 255] = ink.match(/\d+/)?.map(Number) ?? [];
    assert.ok(red < 100, `${name}: ${ink}`);
    await page.getByText('dog.jpg').filter({ visible: true }).first().waitFor();
  }
  // The open image only.
  assert.equal(await page.locator('main').isVisible(), false);
  assert.match((await page.pdf()).subarray(0, 5).toString(), /^%PDF-/);
});
