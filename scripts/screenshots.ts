/**
 * Takes pictures of every view of the web page, in light, in dark and on a phone, into a folder:
 *
 *   npm run screenshots -- FOLDER [SCENE...]
 *
 * It starts servers of its own. Needs Chromium (CHROMIUM_PATH, else /usr/bin/chromium).
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { launchChromium } from '../test/browser/chromium.ts';
import { type Gantry, startGantry } from '../test/start-gantry.ts';
import { type Scene, scenes } from './screenshots/scenes.ts';

const fixtures = fileURLToPath(new URL('../test/fixtures/', import.meta.url));
const poison = join(fixtures, 'models', 'poison');
const pictures = [
  'odd/dog_then_cat_multipage.tiff',
  'odd/dog_truncated.jpg',
  'others/horse_crop.jpg',
  'others/cow.webp',
  'odd/cat.avif',
  'others/red_panda.jpg',
  'dogs/german_shepherd_head.jpg',
  'cats/ginger_kitten.jpg',
  'odd/dog_exif_orientation6.jpg',
  'cats/tabby_lying.jpg',
  'cats/kitten_yarn.webp',
  'dogs/german_shepherd.webp',
  'cats/chelsea.png',
  'dogs/golden_retriever.jpg',
];
const screens = [
  { name: 'light', viewport: { width: 1360, height: 900 }, colorScheme: 'light' },
  { name: 'dark', viewport: { width: 1360, height: 900 }, colorScheme: 'dark' },
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

/** Resolves once so many images have ended. */
const ended = async (url: string, count: number): Promise<void> => {
  for (;;) {
    const { images } = (await (await fetch(`${url}/images?limit=100`)).json()) as {
      images: readonly { state: string }[];
    };
    if (images.filter(({ state }) => !['queued', 'processing'].includes(state)).length >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

/** A server with three images that kill whatever looks at them, and many that do not. */
const startFilled = async (dataDir: string): Promise<Gantry> => {
  const broken = await startGantry({ dataDir, env: { GANTRY_MODEL: poison, GANTRY_MAX_ATTEMPTS: '2' } });
  for (const [at, name] of ['scan-0041.png', 'scan-0042.png', 'IMG_2231.png'].entries()) {
    const white = { width: 640 + at, height: 480, channels: 3, background: 'white' } as const;
    await upload(broken.url, name, new Uint8Array(await sharp({ create: white }).png().toBuffer()));
  }
  await ended(broken.url, 3);
  await broken.stop();
  const gantry = await startGantry({ dataDir });
  for (const path of pictures) {
    await upload(gantry.url, basename(path), new Uint8Array(await readFile(join(fixtures, path))));
  }
  await ended(gantry.url, 3 + pictures.length);
  return gantry;
};

const take = async (browser: Browser, url: string, scene: Scene, folder: string): Promise<void> => {
  for (const { name, ...options } of screens) {
    const context = await browser.newContext({ ...options, locale: 'en-GB' });
    await scene.disturb?.(context);
    const page = await context.newPage();
    await page.goto(`${url}/${scene.search}`);
    await scene.prepare(page);
    await page.waitForLoadState('networkidle', { timeout: 1_000 }).catch(() => undefined);
    // A picture far down is loaded when it is scrolled to, and never ends here.
    await page.evaluate(
      'Promise.race([Promise.allSettled([...document.images].map((one) => one.decode())), new Promise((resolve) => setTimeout(resolve, 500))])',
    );
    await page.screenshot({ path: join(folder, `${scene.name}-${name}.png`) });
    const extent = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    const wider = (await page.evaluate(extent)) as number;
    if (wider > 0) console.error(`${scene.name} ${name}: ${wider} px wider than the window`);
    await context.close();
  }
};

const [folder, ...chosen] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: npm run screenshots -- FOLDER [SCENE...]');
  process.exitCode = 2;
} else {
  await mkdir(folder, { recursive: true });
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-screenshots-'));
  const browser = await launchChromium();
  const servers = [await startGantry(), await startFilled(dataDir)] as const;
  try {
    for (const scene of scenes) {
      if (chosen.length > 0 && !chosen.includes(scene.name)) continue;
      await take(browser, servers[scene.empty ? 0 : 1].url, scene, folder);
    }
  } finally {
    await browser.close();
    for (const server of servers) await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
