/**
 * Takes pictures of the web page: empty, with images, one image in detail, a refused file; each on a wide screen in
 * light and dark and on a phone. Needs Chromium (CHROMIUM_PATH, else /usr/bin/chromium) and a built page
 * (`npm run build:ui`).
 *
 *   node scripts/screenshots.ts FOLDER [URL]
 *
 * Without URL it starts a Gantry of its own; the server at URL must have no images yet, and is left with some.
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { startGantry } from '../test/start-gantry.ts';

const fixtures = fileURLToPath(new URL('../test/fixtures/', import.meta.url));
const pictures = [
  'odd/dog_then_cat_multipage.tiff',
  'odd/dog_truncated.jpg',
  'others/horse_crop.jpg',
  'others/red_panda.jpg',
  'cats/tabby_lying.jpg',
  'cats/kitten_yarn.webp',
  'dogs/german_shepherd.webp',
  'cats/chelsea.png',
  'dogs/golden_retriever.jpg',
];
const screens = [
  { name: 'light', viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
  {
    name: 'phone',
    viewport: { width: 390, height: 844 },
    colorScheme: 'light',
    isMobile: true,
    hasTouch: true,
  },
] as const;

const upload = async (url: string, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> => {
  const body = new FormData();
  body.append('image', new Blob([bytes]), name);
  const response = await fetch(`${url}/upload`, { method: 'POST', body });
  if (response.status !== 202) throw new Error(`${name}: ${response.status} ${await response.text()}`);
};

const open = async (browser: Browser, url: string, screen: (typeof screens)[number]) => {
  const { name, ...options } = screen;
  const page = await browser.newPage({ ...options, locale: 'en-GB', deviceScaleFactor: 1 });
  await page.goto(url);
  await page.getByText('No images yet').waitFor();
  return { name, page };
};

const takeAll = async (
  pages: readonly { name: string; page: Page }[],
  scene: string,
  folder: string,
  prepare: (page: Page) => Promise<void>,
): Promise<void> => {
  for (const { name, page } of pages) {
    await prepare(page);
    await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => undefined);
    await page.evaluate('Promise.allSettled([...document.images].map((image) => image.decode()))');
    await page.screenshot({ path: join(folder, `${scene}-${name}.png`) });
  }
};

const take = async (folder: string, url: string): Promise<void> => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  try {
    const pages = await Promise.all(screens.map((screen) => open(browser, url, screen)));
    await takeAll(pages, 'empty', folder, async () => undefined);

    for (const path of pictures) {
      const name = path.includes('horse_crop') ? `\u202egnp.${'aslehc '.repeat(40)}.png` : basename(path);
      await upload(url, name, await readFile(join(fixtures, path)));
    }
    await takeAll(pages, 'list', folder, async (page) => {
      await page
        .locator(`.card[data-state=succeeded], .card[data-state=failed]`)
        .nth(pictures.length - 1)
        .waitFor();
    });
    await takeAll(pages, 'detail', folder, async (page) => {
      await page.getByRole('link', { name: /golden_retriever/ }).click();
      await page.locator('.stage[data-original=shown]').waitFor();
    });
    await takeAll(pages, 'tiff', folder, async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: /multipage/ }).click();
      await page.locator('.stage[data-original=broken]').waitFor();
    });
    await takeAll(pages, 'refused', folder, async (page) => {
      await page.keyboard.press('Escape');
      await page.locator('input[type=file]').setInputFiles({
        name: 'notes.jpg',
        mimeType: 'image/jpeg',
        buffer: Buffer.from('These are notes, not a picture.'),
      });
      await page.locator('.upload-refused').waitFor();
    });
  } finally {
    await browser.close();
  }
};

const [folder, given] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node scripts/screenshots.ts FOLDER [URL]');
  process.exitCode = 2;
} else if (given !== undefined) {
  await take(folder, given);
} else {
  const gantry = await startGantry();
  await take(folder, gantry.url).finally(gantry.stop);
}
