import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { openWatchedPage } from './watched-page.ts';

const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const dog = fixture('dogs/golden_retriever.jpg');
const cat = fixture('cats/chelsea.png');

let dataDir: string;
let gantry: Gantry;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];

/** Chromium prints every answer of status 400 and above to the console; the one a test provokes is no fault. */
const expectStatus = (status: number): void => {
  const at = faults.findIndex((fault) => fault.includes(`status of ${status}`));
  assert.ok(at >= 0, `no answer of status ${status}: ${faults.join('; ')}`);
  faults.splice(at, 1);
};

const uploadByFetch = async (path: string, name: string): Promise<string> => {
  const body = new FormData();
  body.append('image', new Blob([await readFile(path)]), name);
  const response = await fetch(`${gantry.url}/upload`, { method: 'POST', body });
  assert.equal(response.status, 202);
  const { images } = (await response.json()) as { images: { id: string }[] };
  return images[0]?.id ?? assert.fail('no image in the answer');
};

const choose = (files: Parameters<ReturnType<Page['locator']>['setInputFiles']>[0]) =>
  page.locator('input[type=file]').setInputFiles(files);
const cardOf = (name: string) => page.getByRole('listitem').filter({ hasText: name });
const done = (name: string, label: string) =>
  cardOf(name).locator('[data-state=succeeded]').filter({ hasText: label }).waitFor();
const focusedText = () => page.evaluate('document.activeElement?.textContent') as Promise<string>;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gantry-page-'));
  gantry = await startGantry({ dataDir });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
});
after(async () => {
  await browser?.close();
  await gantry?.stop();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  context = await browser.newContext({ locale: 'en-GB' });
  ({ page, faults } = await openWatchedPage(context, gantry.url));
  await page.getByText('Live', { exact: true }).waitFor();
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(faults, []);
});

test('files that are chosen become a dog and a cat without a reload', async () => {
  await page.getByText('No images yet').waitFor();
  await page.evaluate('globalThis.notReloaded = true');
  await choose([dog, cat]);
  await done('golden_retriever.jpg', 'dog');
  await done('chelsea.png', 'cat');
  await cardOf('chelsea.png').locator('img').waitFor();
  assert.equal(await page.evaluate('globalThis.notReloaded'), true);
  await page.getByRole('list', { name: 'Counts' }).getByText('2 done').waitFor();
});

test('a text file named .jpg is refused with the reason of the server', async () => {
  const text = Buffer.from('This is no picture.');
  const answer = page.waitForResponse((response) => response.url().endsWith('/upload'));
  await choose({ name: 'notes.jpg', mimeType: 'image/jpeg', buffer: text });
  const { detail } = (await (await answer).json()) as { detail: string };
  const row = page.getByRole('region', { name: 'Uploads' }).getByRole('listitem');
  await row.getByText(detail, { exact: true }).waitFor();
  assert.equal(await cardOf('notes.jpg').and(page.locator('.card')).count(), 0);
  await row.getByRole('button', { name: 'Dismiss: notes.jpg' }).click();
  await row.waitFor({ state: 'detached' });
  expectStatus(415);
});

test("another client's upload and its deletion show by themselves", async () => {
  const id = await uploadByFetch(cat, 'from-elsewhere.png');
  await done('from-elsewhere.png', 'cat');
  // Else its deletion may overtake the request for the thumbnail.
  await cardOf('from-elsewhere.png').locator('img').evaluate('(picture) => picture.decode()');
  await fetch(`${gantry.url}/images/${id}`, { method: 'DELETE' });
  await cardOf('from-elsewhere.png').waitFor({ state: 'detached' });
});

test('a hostile file name stays text and does not widen the page', async () => {
  const name = `\u202e<img src=x onerror=alert(1)>${'w'.repeat(4000)}.png`;
  const id = await uploadByFetch(cat, name);
  await page.locator(`[data-image="${id}"] [data-state=succeeded]`).waitFor();
  const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  assert.equal(await page.evaluate(overflow), 0);
  await page.locator(`[data-image="${id}"] a`).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
});

test('an image that the browser cannot show is shown by its thumbnail', async () => {
  await choose(fixture('odd/dog_then_cat_multipage.tiff'));
  await done('dog_then_cat_multipage.tiff', 'dog');
  await page.getByRole('link', { name: /multipage/ }).click();
  await page.getByRole('dialog').getByText('Your browser cannot show this format').waitFor();
  await page.getByRole('dialog').getByRole('img').waitFor();
});

test('details: result, reprocess, and delete after a second question', async () => {
  await uploadByFetch(dog, 'to-delete.jpg');
  await done('to-delete.jpg', 'dog');
  await page.getByRole('link', { name: /to-delete/ }).click();
  const dialog = page.getByRole('dialog', { name: 'to-delete.jpg' });
  await dialog.getByText('Nearest ImageNet labels').waitFor();
  await dialog.getByText('golden retriever').first().waitFor();

  await dialog.getByRole('button', { name: 'Reprocess' }).click();
  const run = dialog.getByRole('definition').and(page.locator('dt:text-is("Run") + dd'));
  await run.filter({ hasText: '2' }).waitFor();
  await dialog.locator('.verdict').waitFor();

  await dialog.getByRole('button', { name: 'Delete' }).click();
  assert.equal(await focusedText(), 'Keep it');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await dialog.waitFor({ state: 'detached' });
  await cardOf('to-delete.jpg').waitFor({ state: 'detached' });
});

test('the filter is in the address, and the back button undoes it', async () => {
  await uploadByFetch(dog, 'filtered-dog.jpg');
  await uploadByFetch(cat, 'filtered-cat.png');
  await done('filtered-dog.jpg', 'dog');
  await done('filtered-cat.png', 'cat');
  await page.getByLabel('Label').selectOption('cat');
  await cardOf('filtered-dog.jpg').waitFor({ state: 'detached' });
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(new URL(page.url()).search, '?label=cat');

  await page.reload();
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(await cardOf('filtered-dog.jpg').count(), 0);
  assert.equal(await page.getByLabel('Label').inputValue(), 'cat');

  await page.goBack();
  await cardOf('filtered-dog.jpg').waitFor();
  assert.equal(await page.getByLabel('Label').inputValue(), '');

  await page.getByLabel('State').selectOption('dead');
  await page.getByText('No image matches the filter').waitFor();
  await page.getByRole('button', { name: 'Show all images' }).click();
  await cardOf('filtered-dog.jpg').waitFor();
});

test('with the keyboard alone: reach the upload, open an image, Escape gives the focus back', async () => {
  await uploadByFetch(dog, 'by-keyboard.jpg');
  await done('by-keyboard.jpg', 'dog');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate('document.activeElement.labels?.[0]?.textContent'), 'Choose images');

  const card = page.getByRole('link', { name: /by-keyboard/ });
  const focused = () => card.evaluate((element) => element.matches(':focus'));
  for (let presses = 0; presses < 6 && !(await focused()); presses += 1) await page.keyboard.press('Tab');
  assert.ok(await focused());
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'by-keyboard.jpg' }).waitFor();
  assert.match(page.url(), /\?image=/);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.ok(await focused());
  await page.waitForURL(`${gantry.url}/`);
});

test('a lost connection is said, and the list is right again once it is back', async () => {
  await context.setOffline(true);
  await page.getByText(/Offline|Reconnecting/).waitFor();
  await uploadByFetch(dog, 'while-away.jpg');
  await context.setOffline(false);
  await page.getByText('Live', { exact: true }).waitFor();
  await done('while-away.jpg', 'dog');
  faults = faults.filter((fault) => !fault.includes('net::ERR_INTERNET_DISCONNECTED'));
});

test('a dead image says why and can be replayed', async () => {
  const poison = fileURLToPath(new URL('../fixtures/models/poison', import.meta.url));
  const other = await startGantry({ env: { GANTRY_MODEL: poison, GANTRY_MAX_ATTEMPTS: '1' } });
  try {
    const white = { create: { width: 64, height: 64, channels: 3, background: 'white' } } as const;
    // A page of its own: requests to this server are another origin to the common one.
    const own = await context.newPage();
    await own.goto(other.url);
    const buffer = await sharp(white).png().toBuffer();
    await own.locator('input[type=file]').setInputFiles({ name: 'white.png', mimeType: 'image/png', buffer });
    const card = own.locator('.card');
    await card
      .locator('.chip-dead')
      .getByText(/Dead: \S/)
      .waitFor();
    await card.getByRole('button', { name: 'Replay' }).click();
    // The states in between pass faster than anybody can look; the run's number stays.
    await card.getByRole('link').click();
    await own.locator('dt:text-is("Run") + dd').filter({ hasText: '2' }).waitFor();
    await card.locator('.chip-dead').waitFor();
    await own.getByRole('dialog').getByText('Every attempt failed').waitFor();
  } finally {
    await other.stop();
  }
});

test('older images are loaded when asked for', async () => {
  const names = Array.from({ length: 50 }, (_, n) => `many-${n}.webp`);
  for (const name of names) await uploadByFetch(fixture('cats/kitten_yarn.webp'), name);
  await page.reload();
  await cardOf('many-49.webp').waitFor();
  assert.equal(await page.locator('.card').count(), 48);
  await page.getByRole('button', { name: 'Load more' }).click();
  await cardOf('many-0.webp').waitFor();
});

test('the page survives a restart of the server', async () => {
  const { port } = new URL(gantry.url);
  // Only a list that was loaded can be out of date.
  await page.locator('.card').first().waitFor();
  await gantry.stop();
  await page.getByText('Reconnecting…').waitFor();
  await page.getByText(/No connection to the server/).waitFor();
  gantry = await startGantry({ dataDir, args: ['--port', port] });
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText(/No connection to the server/).waitFor({ state: 'detached' });
  await choose({ name: 'afterwards.png', mimeType: 'image/png', buffer: await readFile(cat) });
  await done('afterwards.png', 'cat');
  // What a page meets while its server goes away: first 503, then nobody.
  faults = faults.filter((fault) => !/net::ERR_|status of 503/.test(fault));
});
