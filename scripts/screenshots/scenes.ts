import type { BrowserContext, Page } from 'playwright-core';

/** What a picture is taken of. */
export interface Scene {
  readonly name: string;
  /** The view's query string. */
  readonly search: string;
  /** A server without images. */
  readonly empty?: boolean;
  /** What the network does before the page opens. */
  readonly disturb?: (context: BrowserContext) => Promise<unknown>;
  /** Brings the page to what the picture is of. */
  readonly prepare: (page: Page) => Promise<unknown>;
}

const text = (page: Page, words: string | RegExp) => page.getByText(words).first().waitFor();

/** Chooses files to upload that say that they are pictures. */
const choose = (page: Page, ...names: string[]) => {
  const buffer = Buffer.from('These are notes, not a picture.');
  const files = names.map((name) => ({ name, mimeType: 'image/jpeg', buffer }));
  return page.locator('input[type=file]').first().setInputFiles(files);
};

/** A small window has the filters behind a button. */
const openTimes = async (page: Page) => {
  await page.locator('.card').first().waitFor();
  const toggle = page.locator('.filter-toggle');
  if (await toggle.isVisible()) await toggle.click();
  await page.locator('.filter-time summary').click();
};

/** Every view, and what it looks like when something is not as it should be. */
export const scenes: readonly Scene[] = [
  { name: 'empty', search: '', empty: true, prepare: (page) => text(page, 'No images yet') },
  { name: 'images', search: '', prepare: (page) => text(page, 'All 17 images are listed.') },
  { name: 'filter', search: '?label=cat', prepare: openTimes },
  {
    name: 'filter-day',
    search: '',
    prepare: async (page) => {
      await openTimes(page);
      const today = new Date();
      const day = new Date(today.getTime() - today.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
      await page.getByLabel('Uploaded on').fill(day);
      await text(page, 'All 17 images are listed.');
    },
  },
  {
    name: 'stale',
    search: '',
    prepare: async (page) => {
      await page.locator('.summary[aria-busy=false]').waitFor();
      await page.context().route('**/summary', (route) => route.abort());
      await text(page, /No answer since/);
    },
  },
  { name: 'no-match', search: '?text=zebra', prepare: (page) => text(page, 'No image matches') },
  {
    name: 'loading',
    search: '',
    disturb: (context) => context.route('**/images?*', () => undefined),
    prepare: (page) => page.locator('.card-skeleton').first().waitFor(),
  },
  {
    name: 'fault',
    search: '',
    disturb: (context) => context.route('**/{images?*,summary}', (route) => route.abort()),
    prepare: (page) => text(page, 'The images cannot be loaded'),
  },
  {
    name: 'offline',
    search: '',
    prepare: async (page) => {
      await page.locator('.card').first().waitFor();
      await page.context().setOffline(true);
      await text(page, /No connection to the server/);
    },
  },
  {
    name: 'image',
    search: '',
    prepare: async (page) => {
      await page.getByRole('link', { name: /golden_retriever/ }).click();
      await page.locator('.stage[data-original=shown]').waitFor();
      await page.locator('.timeline li, .timeline [role=alert]').first().waitFor();
    },
  },
  {
    name: 'image-zoomed',
    search: '?text=multipage',
    prepare: async (page) => {
      await page.getByRole('link', { name: /multipage/ }).click();
      await page.locator('.stage[data-original=broken]').waitFor();
      await page.getByRole('button', { name: 'Zoom in' }).click({ clickCount: 3, delay: 50 });
      await page.locator('.json summary').click();
      await page.locator('.json pre').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'refused',
    search: '',
    prepare: async (page) => {
      await choose(page, 'notes.jpg');
      await page.locator('.upload-refused').waitFor();
    },
  },
  {
    name: 'uploads',
    search: '',
    disturb: (context) => {
      let count = 0;
      return context.route('**/upload', (route) => {
        count += 1;
        if (count <= 2) return route.fulfill({ status: 507, json: { detail: 'the storage is full' } });
        // The third is refused by the server itself, the last ones stay under way.
        return count === 3 ? route.continue() : undefined;
      });
    },
    prepare: async (page) => {
      await choose(page, 'IMG_0107.jpg', 'IMG_0108.jpg', 'notes.jpg', 'IMG_0109.jpg', 'IMG_0110.jpg');
      await page.locator('.upload-refused').waitFor();
      await page.getByRole('button', { name: 'Try all again' }).waitFor();
    },
  },
  {
    name: 'drop-over-image',
    search: '?label=cat',
    prepare: async (page) => {
      await page.locator('.card-link').first().click();
      await page.locator('.stage[data-original]:not([data-original=loading])').waitFor();
      const cdp = await page.context().newCDPSession(page);
      const data = { items: [], files: [import.meta.filename], dragOperationsMask: 1 };
      for (const type of ['dragEnter', 'dragOver'] as const)
        await cdp.send('Input.dispatchDragEvent', { type, x: 200, y: 300, data });
      await text(page, /as new ones/);
    },
  },
  {
    name: 'undo',
    search: '?label=cat',
    prepare: async (page) => {
      // Leaving the page deletes at once: it is another one for each picture.
      await page.locator('.card-link').first().click();
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('button', { name: 'Undo' }).waitFor();
    },
  },
  {
    name: 'dead-letters',
    search: '?view=dead-letters',
    prepare: (page) => page.locator('.letter').nth(2).waitFor(),
  },
  {
    name: 'no-dead-letters',
    search: '?view=dead-letters',
    empty: true,
    prepare: (page) => text(page, 'Every image could be processed'),
  },
  { name: 'system', search: '?view=system', prepare: (page) => page.locator('.model-card').waitFor() },
  {
    name: 'system-fault',
    search: '?view=system',
    disturb: (context) => context.route('**/system', (route) => route.abort()),
    prepare: (page) => text(page, 'The server does not say how it is'),
  },
];
