import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { upload } from '../acceptance/target.ts';
import { plainPicture } from '../poison.ts';
import { startFilledGantry } from './filled-gantry.ts';
import { follow, nameOf, placeOf, scrollTo, shown } from './scrolled-list.ts';
import { visitPage } from './visit.ts';

const visit = visitPage({
  start: () => startFilledGantry(3_000),
  context: { viewport: { width: 1280, height: 900 } },
  // The images have no thumbnails.
  tolerated: /status of 404/,
});
beforeEach(() => visit.page.locator('[aria-posinset="1"] .card').waitFor());

test('in a window of another size the same images are seen', async () => {
  const { page } = visit;
  const left = await scrollTo(page, 1_000);
  const first = placeOf((await shown(page))[0]);
  await follow(page, 'System');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('.model-card').waitFor();
  await page.goBack();
  const narrow = placeOf((await shown(page))[0]);
  assert.ok(narrow <= first && narrow > first - 2, `${narrow}, not ${first}`);
  await page.goForward();
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.locator('.model-card').waitFor();
  await page.goBack();
  assert.equal(placeOf((await shown(page))[0]), first);
  assert.equal((await shown(page)).length, left.length);
});

test('images that come and go meanwhile move nothing', async () => {
  const { gantry, page } = visit;
  const left = await scrollTo(page, 600);
  await follow(page, 'Dead letters');
  await page.locator('.letter').first().waitFor();
  const name = nameOf(left[3]);
  const found = await fetch(`${gantry.url}/images?text=${encodeURIComponent(name)}`);
  const { images } = (await found.json()) as { images: { id: string; filename: string }[] };
  const id = images.find(({ filename }) => filename === name)?.id;
  assert.equal((await fetch(`${gantry.url}/images/${id}`, { method: 'DELETE' })).status, 204);
  await upload(gantry.url, [await plainPicture('new.png', '#00ff00')]);

  await page.goBack();
  await page.getByRole('button', { name: '1 new image' }).waitFor();
  await page.getByText('No longer in this list').waitFor();
  const now = await shown(page);
  assert.deepEqual(now.with(3, ''), left.toSpliced(3, 1, ''));
});

test('a reload comes back to a place near the top, and to the top from one far below', async () => {
  const { page } = visit;
  const near = await scrollTo(page, 290);
  await page.reload();
  await page.locator('.cards').waitFor();
  await page.locator(`[aria-posinset="${placeOf(near[0])}"]`).waitFor();
  assert.deepEqual((await shown(page)).map(placeOf), near.map(placeOf));
  await scrollTo(page, 1_200);
  await page.reload();
  await page.locator('.cards').waitFor();
  assert.match((await shown(page))[0] ?? '', /^1 /);
  assert.equal(await page.evaluate('scrollY'), 0);
});

test('an image that is opened and closed leaves the list and the focus where they were', async () => {
  const { page } = visit;
  const left = await scrollTo(page, 500);
  const name = nameOf(left[8]);
  const card = page.getByRole('link', { name });
  await card.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await card.and(page.locator(':focus')).waitFor();
  assert.deepEqual(await shown(page), left);

  await page.goForward();
  await page.getByRole('dialog', { name }).waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.deepEqual(await shown(page), left);
});

test('of a list that was left long ago the place is known, if it is near the top', async () => {
  const { page } = visit;
  const left = await scrollTo(page, 290);
  for (let visit = 0; visit < 8; visit += 1) {
    await follow(page, 'Images');
    await page.locator('[aria-posinset="1"]').waitFor();
  }
  await page.evaluate('history.go(-8)');
  await page.locator(`[aria-posinset="${placeOf(left[0])}"]`).waitFor();
  await page.locator('.card-skeleton').first().waitFor({ state: 'detached' });
  assert.deepEqual(await shown(page), left);
});
