import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { gantry as command } from '../serve/run-gantry.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { axe } from './axe.ts';
import { launchChromium } from './chromium.ts';
import { openWatchedPage } from './watched-page.ts';

const cat = fileURLToPath(new URL('../fixtures/cats/chelsea.png', import.meta.url));

let dir: string;
let file: string;
let server: Gantry;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];

/** Chromium prints every answer of status 400 and above to the console; what a test provokes is no fault. */
const expectStatus = (status: number): void => {
  const left = faults.filter((fault) => !fault.includes(`status of ${status}`));
  assert.ok(left.length < faults.length, `no answer of status ${status}: ${faults.join('; ')}`);
  faults = left;
};
const createKey = async (name: string, ...scopes: string[]): Promise<string> => {
  const flags = scopes.flatMap((scope) => ['--scope', scope]);
  const { out, err } = await command(['keys', 'create', '--api-keys-file', file, '--name', name, ...flags]);
  assert.equal(err, '');
  return out.trim();
};
const field = () => page.getByLabel('API key');
const signIn = async (key: string): Promise<void> => {
  await field().fill(key);
  await page.keyboard.press('Enter');
};
const upload = async (key: string, name: string): Promise<string> => {
  const body = new FormData();
  body.append('image', new Blob([await readFile(cat)]), name);
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`${server.url}/upload`, { method: 'POST', body, headers });
  assert.equal(response.status, 202);
  return ((await response.json()) as { correlationId: string }).correlationId;
};

let admin: string;
let reader: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gantry-sign-in-'));
  file = join(dir, 'keys.json');
  admin = await createKey('Ada', 'admin');
  reader = await createKey('Rita', 'read');
  server = await startGantry({ args: ['--api-keys-file', file], env: { GANTRY_WORKERS: '1' } });
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  context = await browser.newContext({ locale: 'en-GB' });
  ({ page, faults } = await openWatchedPage(context, server.url));
  await field().waitFor();
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(faults, []);
});

test('with the keyboard alone: a wrong key is refused with the reason, a right one opens the page', async () => {
  assert.equal(await page.evaluate('document.activeElement.id'), 'key');
  assert.equal(await field().getAttribute('type'), 'password');
  await signIn(`${admin.slice(0, -1)}?`);
  await page.getByRole('alert').getByText('the API key is not valid, or not any more').waitFor();
  expectStatus(401);
  await signIn(admin);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('Signed in as Ada').waitFor();

  await page.locator('input[type=file]').setInputFiles(cat);
  await page.locator('[data-state=succeeded]').filter({ hasText: 'cat' }).first().waitFor();
  await page
    .getByRole('link', { name: /chelsea/ })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('.stage[data-original=shown]').waitFor();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).waitFor();
  // The dialog takes its entry out of the history; a reload would come in between.
  await page.waitForURL(`${server.url}/`);

  await page.reload();
  await server.logged('image deleted');
  await page.getByText('Signed in as Ada').waitFor();
  assert.equal(await page.evaluate('document.cookie'), '', 'no script reads the key');
  // Where lists were left is all that the page stores.
  const stored = await page.evaluate('[Object.keys(localStorage), Object.keys(sessionStorage)]');
  assert.deepEqual(stored, [[], ['gantry.places']]);
  const places = (await page.evaluate("sessionStorage.getItem('gantry.places')")) as string;
  assert.ok(!places.includes(admin.slice(-20)));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await field().waitFor();
  await page.reload();
  await field().waitFor();
  assert.deepEqual(await context.cookies(), []);
});

test('a key that may only read sees everything and changes nothing', async () => {
  const id = await upload(admin, 'to-read.png');
  await signIn(reader);
  await page.locator(`[data-image="${id}"] [data-state=succeeded]`).waitFor();
  await page.getByText('Your API key may not upload.').waitFor();
  assert.equal(await page.locator('input[type=file]').count(), 0);
  await page.locator(`[data-image="${id}"] a`).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Your API key may not change images.').waitFor();
  await dialog.getByRole('link', { name: 'Download' }).waitFor();
  for (const name of ['Reprocess', 'Replay', 'Delete'])
    assert.equal(await dialog.getByRole('button', { name }).count(), 0, name);
});

test('a key that may only upload is told that the page is not for it', async () => {
  const key = await createKey('Cam', 'upload');
  await server.logged('API keys read again', { keys: 3 });
  await signIn(key);
  await page.getByText('This API key may not read images').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await field().waitFor();
});

test('a key that is revoked in the middle brings the sign-in back', async () => {
  const key = await createKey('Guest', 'read');
  await server.logged('API keys read again', { keys: 4 });
  await signIn(key);
  await page.getByText('Signed in as Guest').waitFor();
  await page.getByText('Live', { exact: true }).waitFor();
  await command(['keys', 'revoke', key.slice(7, 19), '--api-keys-file', file]);
  await page.getByRole('alert').getByText('You are no longer signed in').waitFor();
  await signIn(reader);
  await page.getByText('Signed in as Rita').waitFor();
  // Its stream was cut, and what it asked for afterwards refused.
  faults = faults.filter((fault) => !/status of 401|net::ERR_INCOMPLETE_CHUNKED_ENCODING/.test(fault));
});

test('the sign-in fits a narrow screen, in light and dark, and axe finds nothing', async () => {
  await page.setViewportSize({ width: 320, height: 600 });
  const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(await axe(page), []);
    assert.equal(await page.evaluate(overflow), 0);
    const colours =
      '(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.querySelector("#key")))';
    const [text, ground] = (await page.evaluate(colours)) as string[];
    assert.notEqual(text, ground);
  }
});
