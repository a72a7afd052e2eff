import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cat, dog, fixture, visitPage } from './visit.ts';

const visit = visitPage();

test('files that are chosen become a dog and a cat without a reload', async () => {
  const { page, choose, cardOf, done } = visit;
  await page.getByText('No images yet').waitFor();
  await page.evaluate('globalThis.notReloaded = true');
  await choose([dog, cat]);
  await done('golden_retriever.jpg', 'dog');
  await done('chelsea.png', 'cat');
  await cardOf('chelsea.png').locator('img').waitFor();
  assert.equal(await page.evaluate('globalThis.notReloaded'), true);
  await page.locator('.figure-done dd').filter({ hasText: '2' }).waitFor();
});

test('a text file named .jpg is refused with the reason of the server', async () => {
  const { page, choose, cardOf } = visit;
  const text = Buffer.from('This is no picture.');
  const answer = page.waitForResponse((response) => response.url().endsWith('/upload'));
  await choose({ name: 'notes.jpg', mimeType: 'image/jpeg', buffer: text });
  const { detail } = (await (await answer).json()) as { detail: string };
  const row = page.getByRole('region', { name: 'Uploads' }).getByRole('listitem');
  await row.getByText(detail, { exact: true }).waitFor();
  assert.equal(await cardOf('notes.jpg').locator('.card').count(), 0);
  await row.getByRole('button', { name: 'Dismiss: notes.jpg' }).click();
  await row.waitFor({ state: 'detached' });
  // Chromium prints every answer of status 400 and above to the console.
  const at = visit.faults.findIndex((fault) => fault.includes('status of 415'));
  assert.ok(at >= 0);
  visit.faults.splice(at, 1);
});

test("another client's upload and its deletion show by themselves", async () => {
  const { gantry, uploadByFetch, cardOf, done } = visit;
  const id = await uploadByFetch(cat, 'from-elsewhere.png');
  await done('from-elsewhere.png', 'cat');
  // Else its deletion may overtake the request for the thumbnail.
  await visit.page.evaluate(
    "Promise.all([...document.querySelectorAll('[data-image] img')].map((picture) => picture.decode()))",
  );
  await fetch(`${gantry.url}/images/${id}`, { method: 'DELETE' });
  await cardOf('from-elsewhere.png').waitFor({ state: 'detached' });
});

test('a hostile file name stays text and does not widen the page', async () => {
  const { page, uploadByFetch } = visit;
  const name = `\u202e<img src=x onerror=alert(1)>${'w'.repeat(4000)}.png`;
  const id = await uploadByFetch(cat, name);
  await page.locator(`[data-image="${id}"] .chip-succeeded`).waitFor();
  const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  assert.equal(await page.evaluate(overflow), 0);
  await page.locator(`[data-image="${id}"] a`).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
});

test('an image that the browser cannot show is shown by its thumbnail', async () => {
  const { page, choose, done } = visit;
  await choose(fixture('odd/dog_then_cat_multipage.tiff'));
  await done('dog_then_cat_multipage.tiff', 'dog');
  await page.getByRole('link', { name: /multipage/ }).click();
  await page.getByRole('dialog').getByText('Your browser cannot show this format').waitFor();
  await page.getByRole('dialog').getByRole('img').waitFor();
});

test('what is seen first waits for no answer', async () => {
  const { gantry, context } = visit;
  await context.route('**/session', () => undefined);
  const waiting = await context.newPage();
  await waiting.goto(gantry.url);
  await waiting.getByRole('heading', { name: 'Gantry' }).waitFor();
});

test('with the keyboard alone: reach the upload, open an image, Escape gives the focus back', async () => {
  const { gantry, page, uploadByFetch, done } = visit;
  await uploadByFetch(dog, 'by-keyboard.jpg');
  await done('by-keyboard.jpg', 'dog');
  const atUpload = () =>
    page.evaluate("document.activeElement.labels?.[0]?.textContent === 'Choose images'") as Promise<boolean>;
  for (let presses = 0; presses < 8 && !(await atUpload()); presses += 1) await page.keyboard.press('Tab');
  assert.ok(await atUpload());

  const card = page.getByRole('link', { name: /by-keyboard/ });
  const focused = () => card.evaluate((element) => element.matches(':focus'));
  for (let presses = 0; presses < 16 && !(await focused()); presses += 1) await page.keyboard.press('Tab');
  assert.ok(await focused());
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'by-keyboard.jpg' }).waitFor();
  assert.match(page.url(), /\?image=/);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.ok(await focused());
  await page.waitForURL(`${gantry.url}/`);
});
