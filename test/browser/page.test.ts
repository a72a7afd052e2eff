import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import sharp from 'sharp';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { launchChromium } from './chromium.ts';
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
const cardOf = (name: string) => page.locator('.virtual > li').filter({ hasText: name });
const done = (name: string, label: string) =>
  cardOf(name).locator('.chip-succeeded').filter({ hasText: label }).waitFor();
const figure = (name: string) => page.locator(`.figure-${name} dd`);
const focusedText = () => page.evaluate('document.activeElement?.textContent') as Promise<string>;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gantry-page-'));
  gantry = await startGantry({ dataDir });
  browser = await launchChromium();
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
  await figure('done').filter({ hasText: '2' }).waitFor();
});

test('a text file named .jpg is refused with the reason of the server', async () => {
  const text = Buffer.from('This is no picture.');
  const answer = page.waitForResponse((response) => response.url().endsWith('/upload'));
  await choose({ name: 'notes.jpg', mimeType: 'image/jpeg', buffer: text });
  const { detail } = (await (await answer).json()) as { detail: string };
  const row = page.getByRole('region', { name: 'Uploads' }).getByRole('listitem');
  await row.getByText(detail, { exact: true }).waitFor();
  assert.equal(await cardOf('notes.jpg').locator('.card').count(), 0);
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
  await page.locator(`[data-image="${id}"] .chip-succeeded`).waitFor();
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

test('details: result, timeline, JSON, reprocess, and a deletion that is undone and then is not', async () => {
  const id = await uploadByFetch(dog, 'to-delete.jpg');
  await done('to-delete.jpg', 'dog');
  await page.getByRole('link', { name: /to-delete/ }).click();
  const dialog = page.getByRole('dialog', { name: 'to-delete.jpg' });
  await dialog.getByText('Nearest ImageNet labels').waitFor();
  await dialog.getByText('golden retriever').first().waitFor();

  await dialog.getByRole('button', { name: 'Reprocess' }).click();
  const run = dialog.getByRole('definition').and(page.locator('dt:text-is("Run") + dd'));
  await run.filter({ hasText: '2' }).waitFor();
  await dialog.locator('.verdict').waitFor();

  const timeline = dialog.locator('.timeline').getByRole('listitem');
  await timeline.filter({ hasText: 'Result recorded' }).nth(1).waitFor();
  assert.match((await timeline.first().textContent()) ?? '', /^Accepted/);
  await timeline.filter({ hasText: 'Inference' }).first().waitFor();
  await dialog.getByText('JSON', { exact: true }).click();
  const json = await dialog.locator('.json code').textContent();
  assert.equal((JSON.parse(json ?? '') as { filename: string }).filename, 'to-delete.jpg');

  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'detached' });
  const undo = page.getByRole('button', { name: 'Undo the deletion of to-delete.jpg' });
  await undo.and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await undo.waitFor({ state: 'detached' });
  await cardOf('to-delete.jpg').locator('.chip-succeeded').waitFor();

  await page.getByRole('link', { name: /to-delete/ }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await undo.waitFor();
  await page.mouse.move(0, 0);
  await page.locator(`[data-image="${id}"]`).waitFor({ state: 'detached' });
  assert.equal((await fetch(`${gantry.url}/images/${id}`)).status, 404);
});

test('a page that is left deletes at once what it was about to', async () => {
  const id = await uploadByFetch(cat, 'left-behind.png');
  await done('left-behind.png', 'cat');
  await page.getByRole('link', { name: /left-behind/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: /^Undo/ }).waitFor();
  await page.goto('about:blank');
  const other = await openWatchedPage(context, gantry.url);
  await other.page.locator(`[data-image="${id}"]`).waitFor({ state: 'detached' });
  await gantry.logged('image deleted', { imageId: id });
});

test('filters are in the address, and the back and forward buttons undo and redo them', async () => {
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

  // Letter by letter, and yet one step back.
  await page.getByLabel('File name').pressSequentially('FILTERED-D', { delay: 60 });
  await page.waitForURL(/text=FILTERED-D$/);
  await cardOf('filtered-cat.png').waitFor({ state: 'detached' });
  await cardOf('filtered-dog.jpg').waitFor();
  await page.goBack();
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(await page.getByLabel('File name').inputValue(), '');
  await page.goForward();
  await cardOf('filtered-cat.png').waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('File name').inputValue(), 'FILTERED-D');

  await page.locator('.filter-time summary').click();
  await page.getByRole('button', { name: 'Last hour' }).click();
  await page.waitForURL(/from=/);
  await cardOf('filtered-dog.jpg').waitFor();
  await page.locator('.filter-time summary').click();
  await page.getByLabel('Uploaded before').fill('2020-02-29T12:00');
  await page.getByText('No image matches the filter').waitFor();
  const until = new URL(page.url()).searchParams.get('until') ?? '';
  assert.equal(new Date(until).getTime(), new Date('2020-02-29T12:00').getTime());
  await page.getByRole('button', { name: 'Show all images' }).first().click();
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(new URL(page.url()).search, '');
});

test('each place has its address, and the back button goes through them', async () => {
  await page.getByRole('link', { name: 'System' }).click();
  await page.getByRole('heading', { name: 'Model pets' }).waitFor();
  assert.equal(await focusedText(), 'System');
  assert.equal(await page.title(), 'System · Gantry');
  await page.getByRole('link', { name: 'Dead letters' }).click();
  await page.getByText('No dead letters').waitFor();
  assert.equal(new URL(page.url()).search, '?view=dead-letters');
  await page.goBack();
  await page.getByRole('row', { name: /^images / }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Model pets' }).waitFor();
});

test('the arrow keys go from one open image to the next', async () => {
  await uploadByFetch(dog, 'older.jpg');
  await uploadByFetch(cat, 'newer.png');
  await done('older.jpg', 'dog');
  await done('newer.png', 'cat');
  await page.getByRole('link', { name: /newer/ }).click();
  await page.getByRole('dialog', { name: 'newer.png' }).waitFor();
  await page.keyboard.press('ArrowRight');
  const dialog = page.getByRole('dialog', { name: 'older.jpg' });
  await dialog.waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('dialog', { name: 'newer.png' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await dialog.waitFor();

  await dialog.getByRole('group', { name: /zoom/ }).focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await dialog.getByText('196%').waitFor();
  // Magnified, the arrow keys move the picture.
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('0');
  await dialog.getByText('100%').waitFor();
  await page.mouse.move(400, 400);
  await page.mouse.wheel(0, -300);
  await dialog.getByText('200%').waitFor();

  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator(':focus').filter({ hasText: 'older.jpg' }).waitFor();
  await page.waitForURL(`${gantry.url}/`);
});

test('what is seen first waits for no answer', async () => {
  await context.route('**/session', () => undefined);
  const waiting = await context.newPage();
  await waiting.goto(gantry.url);
  await waiting.getByRole('heading', { name: 'Gantry' }).waitFor();
});

test('without an event stream the page asks again and again', async () => {
  await context.route('**/events', (route) => route.abort());
  const polling = await context.newPage();
  await polling.goto(gantry.url);
  await polling.getByText('Updated every few seconds').waitFor();
  await uploadByFetch(cat, 'asked-for.png');
  await polling
    .getByRole('listitem')
    .filter({ hasText: 'asked-for' })
    .getByText('cat', { exact: true })
    .waitFor();
});

test('with the keyboard alone: reach the upload, open an image, Escape gives the focus back', async () => {
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

test('a lost connection is said, and the list is right again once it is back', async () => {
  await context.setOffline(true);
  await page.getByText(/Offline|Reconnecting/).waitFor();
  await uploadByFetch(dog, 'while-away.jpg');
  await context.setOffline(false);
  await page.getByText('Live', { exact: true }).waitFor();
  await done('while-away.jpg', 'dog');
  faults = faults.filter((fault) => !fault.includes('net::ERR_INTERNET_DISCONNECTED'));
});

test('dead letters say why and how often, and are replayed one by one or all at once', async () => {
  const poison = fileURLToPath(new URL('../fixtures/models/poison', import.meta.url));
  const other = await startGantry({ env: { GANTRY_MODEL: poison, GANTRY_MAX_ATTEMPTS: '1' } });
  try {
    const white = { create: { width: 64, height: 64, channels: 3, background: 'white' } } as const;
    // A page of its own: requests to this server are another origin to the common one.
    const own = await context.newPage();
    await own.goto(other.url);
    const buffer = await sharp(white).png().toBuffer();
    const files = ['one.png', 'two.png'].map((name) => ({ name, mimeType: 'image/png', buffer }));
    await own.locator('input[type=file]').first().setInputFiles(files);
    await own
      .locator('.chip-dead')
      .getByText(/Dead: \S/)
      .nth(1)
      .waitFor();

    await own.getByRole('link', { name: /Dead letters/ }).click();
    const letter = own.locator('.letter').filter({ hasText: 'one.png' });
    await letter.getByText('1 attempt').waitFor();
    assert.match((await letter.locator('.letter-reason').textContent()) ?? '', /\S+ \S+/);
    await letter.getByRole('button', { name: /^Replay\W+one/ }).click();
    // The states in between pass faster than anybody can look; the run's number stays.
    await letter.getByText('run 2').waitFor();
    await letter.getByRole('link').click();
    await own.getByRole('dialog').getByText('Every attempt failed').waitFor();
    await own.keyboard.press('Escape');

    await own.getByRole('button', { name: 'Replay all 2' }).click();
    await own.getByRole('button', { name: 'Replay all 2' }).click();
    await own.getByText(/^\d images? (is|are) queued again/).waitFor();
    await own.locator('.letter').filter({ hasText: 'two.png' }).getByText('run 2').waitFor();
    await own.locator('.letter').filter({ hasText: 'one.png' }).getByText('run 3').waitFor();
  } finally {
    await other.stop();
  }
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
